package box

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// User IDs inside. The supervisor of the superuser's boxes keeps the number 0, which in
// its user namespace is worth nothing outside; anybody else's is 1000. The code under
// test is 1000 in the superuser's, and in another's 1001, or the supervisor's own.
const (
	insideRoot = 0
	insideUser = 1000
	insideLent = 1001
)

// other is the user ID, outside, of the code under test where the superuser starts the
// box: a number that no system gives to anybody.
const other = 1_900_000_000

// Descriptors of process 1.
const (
	specFD   = 3 // it reads its Spec
	statusFD = 4 // it writes a status once the box stands
)

// A status is what process 1 says of the box.
type status struct {
	Layer string `json:"layer,omitempty"` // that could not be had
	Error string `json:"error,omitempty"`
}

// A LayerError says which layer could not be had.
type LayerError struct {
	Layer string
	Err   error
}

func (e *LayerError) Error() string { return fmt.Sprintf("sandbox: %s: %v", e.Layer, e.Err) }
func (e *LayerError) Unwrap() error { return e.Err }

// flags are the namespaces of a box.
const flags = unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNS | unix.CLONE_NEWIPC | unix.CLONE_NEWNET | unix.CLONE_NEWUTS

// Start starts cmd in a box. self is the command by which this program serves as process
// 1 (see Inside). The calling goroutine stays on its thread, with whose end the kernel
// ends the box, until it calls end, which is to be called once cmd has been waited for.
func Start(self []string, kind Kind, spec Spec, cmd *exec.Cmd) (end func(), err error) {
	groups, err := newGroups(&spec)
	if err != nil {
		return nil, err
	}
	if spec.Base, err = os.MkdirTemp(spec.Base, "root-"); err != nil {
		groups.remove()
		return nil, fmt.Errorf("sandbox: make a folder for its root: %w", err)
	}
	runtime.LockOSThread()
	end = func() {
		runtime.UnlockOSThread()
		groups.remove()
		_ = os.Remove(spec.Base) // the mount was seen by none but the box
	}
	if err := start(self, kind, spec, groups, cmd); err != nil {
		end()
		return nil, err
	}
	return end, nil
}

func start(self []string, kind Kind, spec Spec, groups *groups, cmd *exec.Cmd) error {
	specR, specW, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("sandbox: %w", err)
	}
	defer specW.Close()
	statusR, statusW, err := os.Pipe()
	if err != nil {
		specR.Close()
		return fmt.Errorf("sandbox: %w", err)
	}
	defer statusR.Close()
	cmd.ExtraFiles = []*os.File{specR, statusW}
	if kind != Exec {
		for _, dir := range []*string{&spec.Groups.Memory, &spec.Groups.Tasks} {
			if *dir == "" {
				continue
			}
			f, err := os.Open(*dir)
			if err != nil {
				specR.Close()
				statusW.Close()
				return fmt.Errorf("sandbox: %w", err)
			}
			defer f.Close()
			*dir = "/proc/self/fd/" + strconv.Itoa(3+len(cmd.ExtraFiles))
			cmd.ExtraFiles = append(cmd.ExtraFiles, f)
		}
	}
	argv := append(slices.Clone(self), string(kind), "--")
	if kind == Exec {
		argv = append(argv, cmd.Path)
		argv = append(argv, cmd.Args[1:]...)
		spec.Dir, cmd.Dir = cmd.Dir, ""
	}
	cmd.Path, cmd.Args, cmd.Err = self[0], argv, nil
	cmd.SysProcAttr = attributes(&spec)
	err = cmd.Start()
	specR.Close()
	statusW.Close()
	if err != nil {
		return &LayerError{Namespaces, refusal(err)}
	}
	if spec.UID == insideLent {
		if err = lend(cmd.Process.Pid); err != nil {
			err = &LayerError{UserID, err}
		}
	}
	if err == nil {
		err = groups.place(kind, cmd.Process.Pid)
	}
	if err == nil {
		err = json.NewEncoder(specW).Encode(spec)
	}
	specW.Close()
	if err == nil {
		err = stands(statusR)
	}
	if err != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	return err
}

// refusal puts into words what clone(2) means by it.
func refusal(err error) error {
	switch {
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.EUSERS):
		return fmt.Errorf("the limit of namespaces is reached (sysctl user.max_user_namespaces): %w", err)
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		return fmt.Errorf("the kernel gives this user no namespaces: %w", err)
	}
	return err
}

// stands waits until process 1 says that the box stands.
func stands(r io.Reader) error {
	var s status
	switch err := json.NewDecoder(io.LimitReader(r, 4096)).Decode(&s); {
	case err != nil:
		return &LayerError{Root, errors.New("it ended before the sandbox stood")}
	case s.Error != "":
		return &LayerError{s.Layer, errors.New(s.Error)}
	}
	return nil
}

// attributes are those by which process 1 is started, and its user IDs.
func attributes(spec *Spec) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Cloneflags: flags, Setpgid: true, Pdeathsig: unix.SIGKILL}
	for name, flag := range map[string]uintptr{pidNamespace: unix.CLONE_NEWPID, networkNamespace: unix.CLONE_NEWNET, ipcNamespace: unix.CLONE_NEWIPC} {
		if !spec.has(name) {
			attr.Cloneflags &^= flag
		}
	}
	id := func(inside, outside int) syscall.SysProcIDMap {
		return syscall.SysProcIDMap{ContainerID: inside, HostID: outside, Size: 1}
	}
	if os.Geteuid() != 0 {
		if spec.has(UserID) && lends() {
			spec.UID = insideLent // see lend
		} else {
			attr.UidMappings = []syscall.SysProcIDMap{id(insideUser, os.Geteuid())}
			attr.GidMappings = []syscall.SysProcIDMap{id(insideUser, os.Getegid())}
		}
		for c := range uintptr(unix.CAP_LAST_CAP + 1) {
			attr.AmbientCaps = append(attr.AmbientCaps, c)
		}
		return attr
	}
	attr.UidMappings = []syscall.SysProcIDMap{id(insideRoot, 0)}
	attr.GidMappings = []syscall.SysProcIDMap{id(insideRoot, 0)}
	if !slices.Contains(spec.Without, UserID) {
		spec.UID = insideUser
		attr.UidMappings = append(attr.UidMappings, id(insideUser, other))
		attr.GidMappings = append(attr.GidMappings, id(insideUser, other))
		attr.GidMappingsEnableSetgroups = true
	}
	return attr
}

// at is the path of something inside the root while it is being built.
func (s Spec) at(path string) string { return filepath.Join(s.Base, path) }

func (s Spec) has(layer string) bool { return !slices.Contains(s.Without, layer) }
