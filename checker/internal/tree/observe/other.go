//go:build !linux

package observe

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"prokata/checker/internal/evidence"
)

// Processes needs Linux.
func Processes(root int) ([]evidence.Process, error) { return nil, ErrUnsupported }

// Memory needs Linux.
func Memory(pid int) (rssBytes int64, err error) { return 0, ErrUnsupported }

// HeldMemory is not known on this system.
func HeldMemory(pids []int, folders ...string) (bytes int64) { return 0 }

// Descriptors needs Linux.
func Descriptors(pid int) ([]evidence.Descriptor, error) { return nil, ErrUnsupported }

// SharedMappings needs Linux.
func SharedMappings(pid int) ([]evidence.Mapping, error) { return nil, ErrUnsupported }

// An Observer needs Linux.
type Observer struct{}

// New needs Linux.
func New(root int, in Inside) *Observer { return &Observer{} }

// Snapshot needs Linux.
func (*Observer) Snapshot() (evidence.Snapshot, error) { return evidence.Snapshot{}, ErrUnsupported }

// Snapshots needs Linux.
func Snapshots(root int, in Inside) (a, b evidence.Snapshot, err error) { return a, b, ErrUnsupported }

// Run needs Linux.
func (w Watch) Run(ctx context.Context) error { return ErrUnsupported }

// A Rest needs Linux.
type Rest struct{}

// NewRest needs Linux.
func NewRest(pids []int, slow float64) *Rest { return &Rest{} }

// Look needs Linux.
func (*Rest) Look() (open bool) { return false }

// Burns needs Linux.
func (*Rest) Burns() []evidence.Burn { return nil }

// A Meter needs Linux.
type Meter struct{}

// NewMeter needs Linux.
func NewMeter(root int) *Meter { return &Meter{} }

// Look needs Linux.
func (*Meter) Look(progress uint64) {}

// Stalled needs Linux.
func (*Meter) Stalled() []evidence.Burn { return nil }

// An Account needs Linux.
type Account struct{ began time.Time }

// NewAccount needs Linux.
func NewAccount(root int) *Account { return &Account{time.Now()} }

// Spent needs Linux.
func (a *Account) Spent() Spent { return Spent{Rest: time.Since(a.began), Wall: time.Since(a.began)} }

// Look needs Linux: elsewhere all time counts.
func (a *Account) Look(time.Duration) Spent { return a.Spent() }

// Machine needs Linux.
func Machine() string { return fmt.Sprintf("%d cores", runtime.NumCPU()) }
