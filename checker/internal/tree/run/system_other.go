//go:build !linux

package run

import (
	"syscall"

	"prokata/checker/internal/evidence"
)

// unchecked lists the findings that this system cannot look for: they need the
// view of the process tree that Linux's /proc gives.
func unchecked() []string {
	return []string{"deadlock", "livelock", "busy-wait", "orphan", "zombie", "fd-leak", "shm-leak", "limit"}
}

func adoptOrphans() error { return nil }

// A world is what the test process has for itself alone: nothing, here.
type world int

func worlds(Job) []world { return []world{0} }

func ownSession(world) *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

func childFaults(int) int64 { return 0 }

func sharedObjects(int) (objects, error) { return objects{}, nil }

func statPath(int) string { return "" }

func ownNetwork(int) bool { return false }

func cost() evidence.Cost { return evidence.Cost{} }

func uptime() (float64, bool) { return 0, false }

func quit(pid, tid int) bool { return false }
