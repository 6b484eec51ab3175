package check

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"prokata/checker/internal/evidence"
	"prokata/checker/internal/source/build"
	"prokata/checker/internal/source/kata"
	"prokata/checker/internal/tree/box"
	"prokata/checker/internal/tree/run"
)

// A Sandbox is what untrusted code is built and run in.
type Sandbox struct {
	Self  []string         // the command by which this program serves as process 1 of one
	Found evidence.Sandbox // what a probe has found
}

// tools are the programs beside its own that a program under test may start.
var tools = []string{"sh", "cat", "echo", "sleep", "true", "false"}

// What a run may take of memory beyond what its kata allows, for what the supervisor
// cannot count as the tree's: caches, and files in memory.
const (
	besidesMiB = 512
	tmpMiB     = 256
	fileMiB    = 128
	openFiles  = 4096
)

// folder is where the tests' program is in the sandbox.
const folder = "/kata"

// wall is nil where there is no sandbox.
func (s *Sandbox) wall(base string) run.Wall {
	if s == nil || s.Found.Tier == box.None {
		return nil
	}
	return func(cmd *exec.Cmd, job *run.Job) (func(), error) {
		show, err := contents(job.Kata, job.Binary)
		if err != nil {
			return nil, err
		}
		delete(show, job.Binary)
		inside := filepath.Join(folder, filepath.Base(job.Binary))
		show[job.Binary] = inside
		spec := box.Spec{
			Base: base, Show: show, Without: s.without(),
			Limits: box.Limits{
				MemoryMiB: job.Kata.Limits.MemoryMiB + besidesMiB, Tasks: job.Kata.Limits.Processes * run.TasksEach,
				TmpMiB: tmpMiB, FileMiB: fileMiB, Files: openFiles,
			},
		}
		job.Binary = inside
		// Nothing of who grades is told.
		cmd.Env = []string{"PATH=/usr/bin:/bin", "HOME=/tmp", "TMPDIR=/tmp", "LANG=C.UTF-8", "USER=kata"}
		return box.Start(s.Self, box.Supervise, spec, cmd)
	}
}

// What a compilation may take.
const (
	buildMiB     = 3072 // of memory, files in memory included
	buildTasks   = 256
	buildTmpMiB  = 512
	binaryMiB    = 128
	buildSeconds = 300 // of processor time, of one compiler
)

// system are the folders of a compiler and of what it loads.
var system = []string{"/usr", "/bin", "/lib", "/lib64", "/etc/alternatives", "/etc/ld.so.cache"}

// compiler is nil where there is no sandbox. A compiler reads what is handed in, so it is not to
// be trusted more than that: it sees the toolchain, the modules and the repository without
// its answers, and its cache has a layer on top that is thrown away with it.
func (s *Sandbox) compiler(base string) build.Wall {
	if s == nil || s.Found.Tier == box.None {
		return nil
	}
	return func(cmd *exec.Cmd, c build.Compiler) (func(), error) {
		show := map[string]string{}
		for _, path := range append(append([]string{c.Repository, c.Modules}, system...), c.Tools...) {
			if info, err := os.Lstat(path); err == nil && info.Mode()&os.ModeSymlink == 0 { // /bin is /usr/bin
				show[path] = path
			}
		}
		spec := box.Spec{
			Base: base, Show: show, Layer: []string{c.Cache}, Write: []string{c.Dir}, Without: s.without(),
			Limits: box.Limits{MemoryMiB: buildMiB, Tasks: buildTasks, TmpMiB: buildTmpMiB, FileMiB: binaryMiB, Files: openFiles, Seconds: buildSeconds},
		}
		for _, hidden := range []string{"solutions", "testdata", ".git", "bin"} {
			spec.Hide = append(spec.Hide, filepath.Join(c.Repository, hidden))
		}
		cmd.Env = append(cmd.Env, "TMPDIR=/tmp")
		return box.Start(s.Self, box.Exec, spec, cmd)
	}
}

// contents is what is in the sandbox of a kata's tests beside their own program.
func contents(k kata.Kata, binary string) (map[string]string, error) {
	show, err := box.Programs(append(paths(tools), binary))
	if err != nil || !slices.Contains(k.Needs, kata.Python) {
		return show, err
	}
	// Python's own library, and what its modules load. Where that is not whole, there is no
	// Python.
	modules, _ := filepath.Glob("/usr/lib/python3.*/lib-dynload/*.so")
	python, err := box.Programs(append(paths([]string{kata.Python}), modules...))
	if err != nil {
		return show, nil
	}
	folders, _ := filepath.Glob("/usr/lib/python3.*")
	for _, dir := range folders {
		maps.DeleteFunc(python, func(from, _ string) bool { return strings.HasPrefix(from, dir+"/") })
		show[dir] = dir
	}
	maps.Copy(show, python)
	return show, nil
}

// without lists the layers that are left out: those that the machine lacks.
func (s *Sandbox) without() []string {
	var all []string
	for _, l := range s.Found.Layers {
		if !l.OK {
			all = append(all, l.Name)
		}
	}
	return all
}

// paths are where programs are here; what is not there is left out.
func paths(names []string) (all []string) {
	for _, name := range names {
		for _, dir := range []string{"/usr/bin", "/bin"} {
			if path := filepath.Join(dir, name); exists(path) {
				all = append(all, path)
				break
			}
		}
	}
	return all
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
