//go:build !linux

package box

import (
	"errors"
	"os/exec"
	"syscall"

	"prokata/checker/internal/evidence"
)

var errLinux = errors.New("a sandbox needs Linux")

// Start needs Linux.
func Start([]string, Kind, Spec, *exec.Cmd) (func(), error) { return nil, errLinux }

// Programs needs Linux.
func Programs([]string) (map[string]string, error) { return nil, errLinux }

// Probe finds no layer on this system.
func Probe([]string, string) evidence.Sandbox {
	var s evidence.Sandbox
	for _, l := range layers {
		s.Layers = append(s.Layers, evidence.Layer{Name: l.name, Why: "not checked on this system"})
	}
	s.Tier, s.Missing = tier(s.Layers)
	return s
}

// An Inner is nothing on this system.
type Inner struct{}

// Inside needs Linux.
func Inside() (*Inner, error) { return nil, errLinux }

// Groups are none.
func (*Inner) Groups() Groups { return Groups{} }

// Who is nobody else.
func (*Inner) Who() *syscall.Credential { return nil }

// Become needs Linux.
func (*Inner) Become([]string, []string) error { return errLinux }

// Enter needs Linux.
func (*Inner) Enter(func() error) error { return errLinux }

// RunProbe needs Linux.
func (*Inner) RunProbe([]string) error { return errLinux }

// Look needs Linux.
func Look() error { return errLinux }
