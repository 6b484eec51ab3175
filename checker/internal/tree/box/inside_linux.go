package box

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"prokata/checker/internal/tree/place"
)

// Inside is what process 1 does first: it builds the box around itself, says so, and
// returns what it was told. What it starts it is to start by the airlock.
func Inside() (*Inner, error) {
	unix.CloseOnExec(specFD)
	unix.CloseOnExec(statusFD)
	in, out := os.NewFile(specFD, "spec"), os.NewFile(statusFD, "status")
	if in == nil || out == nil {
		return nil, errors.New("it is for the checker to start")
	}
	defer in.Close()
	defer out.Close()
	var spec Spec
	if err := json.NewDecoder(in).Decode(&spec); err != nil {
		return nil, fmt.Errorf("read what is to be in the sandbox: %w", err)
	}
	for _, g := range []string{spec.Groups.Memory, spec.Groups.Tasks} {
		var fd int
		if n, _ := fmt.Sscanf(g, "/proc/self/fd/%d", &fd); n == 1 {
			unix.CloseOnExec(fd)
		}
	}
	err := build(spec)
	var s status
	if layer := (*LayerError)(nil); errors.As(err, &layer) {
		s = status{layer.Layer, layer.Err.Error()}
	} else if err != nil {
		s = status{Root, err.Error()}
	}
	if told := json.NewEncoder(out).Encode(s); err == nil {
		err = told
	}
	return &Inner{spec}, err
}

// build makes the box, layer by layer.
func build(spec Spec) error {
	for _, step := range []struct {
		layer string
		do    func(Spec) error
	}{
		{Root, root},
		{Loopback, func(Spec) error { return place.Loopback() }},
		{Namespaces, func(Spec) error { return unix.Sethostname([]byte("kata")) }},
		{Limited, func(s Spec) error { return bounds(s.Limits) }},
	} {
		if !spec.has(step.layer) || step.layer == Loopback && !spec.has(networkNamespace) {
			continue
		}
		if err := step.do(spec); err != nil {
			if layer := (*LayerError)(nil); errors.As(err, &layer) {
				return err
			}
			return &LayerError{step.layer, err}
		}
	}
	return nil
}

// bounds sets the resource limits. They hold for process 1 and for all that it starts.
func bounds(l Limits) error {
	for _, b := range []struct {
		what int
		most uint64
	}{
		{unix.RLIMIT_CORE, 0},
		{unix.RLIMIT_FSIZE, uint64(l.FileMiB) << 20},
		{unix.RLIMIT_NOFILE, uint64(l.Files)},
		{unix.RLIMIT_MEMLOCK, 8 << 20},
		{unix.RLIMIT_MSGQUEUE, 1 << 20},
		{unix.RLIMIT_CPU, uint64(l.Seconds)},
	} {
		var now unix.Rlimit
		if b.most == 0 && b.what != unix.RLIMIT_CORE || unix.Getrlimit(b.what, &now) != nil {
			continue
		}
		most := min(b.most, now.Max)
		if err := unix.Setrlimit(b.what, &unix.Rlimit{Cur: most, Max: most}); err != nil {
			return fmt.Errorf("bound what a process takes: %w", err)
		}
	}
	return nil
}

// An Inner is the box as process 1 sees it.
type Inner struct{ spec Spec }

// Groups are the control groups that the code under test is to be put into.
func (i *Inner) Groups() Groups { return i.spec.Groups }

// Who says as whom the code under test runs; nil if as its supervisor.
func (i *Inner) Who() *syscall.Credential {
	if i.spec.UID == 0 {
		return nil
	}
	return &syscall.Credential{Uid: uint32(i.spec.UID), Gid: uint32(i.spec.UID)}
}

// Become goes through the airlock and becomes the command: an exec(2).
func (i *Inner) Become(argv, env []string) error {
	return <-airlock(i.spec, true, func() error {
		if i.spec.Dir != "" {
			if err := os.Chdir(i.spec.Dir); err != nil {
				return err
			}
		}
		return fmt.Errorf("start %s: %w", argv[0], syscall.Exec(argv[0], argv, env))
	})
}

// Enter calls start, which starts a process, so that the process and all that come from
// it have gone through the airlock.
func (i *Inner) Enter(start func() error) error {
	return <-airlock(i.spec, false, start)
}
