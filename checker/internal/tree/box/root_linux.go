package box

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Files of /etc that libraries look for.
var etc = map[string]string{
	"passwd":        "root:x:0:0::/tmp:/bin/sh\nkata:x:1000:1000::/tmp:/bin/sh\nlent:x:1001:1001::/tmp:/bin/sh\n",
	"group":         "root:x:0:\nkata:x:1000:\n",
	"hosts":         "127.0.0.1 localhost\n::1 localhost\n",
	"nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
}

// root builds the private root, in memory, and makes it the root of this process.
func root(s Spec) error {
	// Nothing that is mounted here is to be seen elsewhere, nor the other way round.
	if err := unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("take the mounts apart: %w", err)
	}
	if err := memory(s.Base, 4, 4096, "0755"); err != nil {
		return err
	}
	steps := []func(Spec) error{basics, shown, layered, written, hidden}
	for _, step := range steps {
		if err := step(s); err != nil {
			return err
		}
	}
	if err := unix.Chdir(s.Base); err != nil {
		return err
	}
	// The old root is stacked onto the new one, and taken off.
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("change the root: %w", err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("leave the old root: %w", err)
	}
	if err := unix.Chdir("/"); err != nil {
		return err
	}
	return readOnly("/", false)
}

// basics are the folders that every program expects.
func basics(s Spec) error {
	for _, dir := range []string{"/proc", "/dev", "/etc", "/tmp"} {
		if err := os.MkdirAll(s.at(dir), 0o755); err != nil {
			return err
		}
	}
	// Where /bin is /usr/bin, programs are looked for by either name.
	for _, name := range []string{"bin", "sbin", "lib", "lib32", "lib64"} {
		to, err := os.Readlink("/" + name)
		if err != nil {
			continue
		}
		to = strings.TrimPrefix(to, "/")
		if err := errors.Join(os.MkdirAll(s.at(to), 0o755), os.Symlink(to, s.at(name))); err != nil {
			return err
		}
	}
	const inodes = 16384
	if err := memory(s.at("/tmp"), s.Limits.TmpMiB, inodes, "1777"); err != nil {
		return err
	}
	// Read-only: neither the memory of a process nor a setting is written by it.
	if err := unix.Mount("proc", s.at("/proc"), "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC|unix.MS_RDONLY, ""); err != nil {
		return &LayerError{Proc, err}
	}
	for _, d := range devices {
		if err := bind("/dev/"+d, s.at("/dev/"+d)); err != nil {
			return err
		}
	}
	for name, to := range map[string]string{"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2"} {
		if err := os.Symlink(to, s.at("/dev/"+name)); err != nil {
			return err
		}
	}
	if err := os.Mkdir(s.at("/dev/shm"), 0o755); err != nil {
		return err
	}
	if err := memory(s.at("/dev/shm"), s.Limits.TmpMiB, inodes, "1777"); err != nil {
		return err
	}
	for name, text := range etc {
		if err := os.WriteFile(s.at("/etc/"+name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func shown(s Spec) error {
	// In order, so that a folder comes before what is put into it.
	for _, from := range slices.SortedFunc(maps.Keys(s.Show), func(a, b string) int { return strings.Compare(s.Show[a], s.Show[b]) }) {
		if err := show(from, s.at(s.Show[from])); err != nil {
			return err
		}
	}
	return nil
}

func written(s Spec) error {
	for _, dir := range s.Write {
		if err := bind(dir, s.at(dir)); err != nil {
			return err
		}
		if err := attribute(s.at(dir), unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV, true); err != nil {
			return err
		}
	}
	return nil
}

// layered shows folders in which what is written goes to memory and is lost.
func layered(s Spec) error {
	if len(s.Layer) == 0 {
		return nil
	}
	top := s.at("/.layers")
	if err := os.Mkdir(top, 0o700); err != nil {
		return err
	}
	if err := memory(top, 4*s.Limits.TmpMiB, 1<<16, "0700"); err != nil {
		return err
	}
	for i, dir := range s.Layer {
		upper, work := fmt.Sprintf("%s/%d/upper", top, i), fmt.Sprintf("%s/%d/work", top, i)
		if err := errors.Join(os.MkdirAll(upper, 0o755), os.MkdirAll(work, 0o755), os.MkdirAll(s.at(dir), 0o755)); err != nil {
			return err
		}
		escaped := strings.NewReplacer(`\`, `\\`, `,`, `\,`, `:`, `\:`)
		options := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s,userxattr", escaped.Replace(dir), escaped.Replace(upper), escaped.Replace(work))
		if err := unix.Mount("overlay", s.at(dir), "overlay", unix.MS_NOSUID|unix.MS_NODEV, options); err != nil {
			return fmt.Errorf("put a layer onto %s: %w", dir, err)
		}
	}
	// The overlays hold it, and nothing else is to reach it.
	return unix.Unmount(top, unix.MNT_DETACH)
}

func hidden(s Spec) error {
	for _, dir := range s.Hide {
		info, err := os.Stat(s.at(dir))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err == nil && !info.IsDir() { // .git is a file in a worktree
			if err := bind("/dev/null", s.at(dir)); err != nil {
				return err
			}
			continue
		}
		if err := unix.Mount("tmpfs", s.at(dir), "tmpfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_RDONLY, "size=4k,nr_inodes=1,mode=0555"); err != nil {
			return fmt.Errorf("hide %s: %w", dir, err)
		}
	}
	return nil
}

// memory mounts a file system of bounded size that lives in memory.
func memory(dir string, mib, inodes int, mode string) error {
	err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, fmt.Sprintf("size=%dm,nr_inodes=%d,mode=%s", mib, inodes, mode))
	if err != nil {
		return fmt.Errorf("mount a file system in memory: %w", err)
	}
	return nil
}

// show is bind, and read-only.
func show(from, to string) error {
	if err := bind(from, to); err != nil {
		return err
	}
	return readOnly(to, true)
}

// bind shows a file or a folder of the host at the path to.
func bind(from, to string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	if info.IsDir() {
		err = os.MkdirAll(to, 0o755)
	} else if err = os.MkdirAll(filepath.Dir(to), 0o755); err == nil {
		var f *os.File
		if f, err = os.OpenFile(to, os.O_CREATE|os.O_RDONLY, 0o644); err == nil {
			err = f.Close()
		}
	}
	if err != nil {
		return err
	}
	// With all that is mounted below: in a user namespace it is not to be uncovered.
	if err := unix.Mount(from, to, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("show %s: %w", from, err)
	}
	return nil
}

func readOnly(path string, below bool) error {
	return attribute(path, unix.MOUNT_ATTR_RDONLY|unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV, below)
}

func attribute(path string, set uint64, below bool) error {
	how := uint(0)
	if below {
		how = unix.AT_RECURSIVE
	}
	if err := unix.MountSetattr(unix.AT_FDCWD, path, how, &unix.MountAttr{Attr_set: set}); err != nil {
		return fmt.Errorf("bound the mount of %s: %w", path, err)
	}
	return nil
}
