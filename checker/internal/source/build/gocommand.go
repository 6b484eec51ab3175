package build

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// A tool is the go command with an environment by which neither a person's settings
// nor a submission can change what it makes.
type tool struct {
	path    string
	version string // "go1.26.8"
	env     []string
	lacks   error // why it cannot build for the race detector, or nil
}

// Where a compiler is, if PATH does not say so.
var (
	goPlaces = []string{"/usr/local/go/bin", "/usr/lib/go/bin", "/usr/lib/golang/bin", "/opt/homebrew/bin", "/snap/bin"}
	ccPlaces = []string{"/usr/local/bin", "/usr/bin", "/bin"}
)

// What is said where one is missing.
var (
	errNoGo       = errors.New("there is no go command: install Go (https://go.dev/dl), and put its bin folder into PATH")
	errNoCompiler = errors.New("the race detector needs a C compiler and none was found: install gcc (Debian: apt install gcc; macOS: xcode-select --install)")
)

func (t tool) command(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, t.path, args...)
	// The go command believes $PWD, and finds its files by it.
	cmd.Dir, cmd.Env = dir, append(slices.Clone(t.env), "PWD="+dir)
	return cmd
}

// findTool looks for the go command and what it needs. Where the person's cache cannot
// be used, one beside dir is.
func findTool(dir string) (tool, error) {
	t := tool{path: find("go", append([]string{filepath.Join(os.Getenv("GOROOT"), "bin")}, goPlaces...))}
	if t.path == "" {
		return t, errNoGo
	}
	home := homeFolder()
	where, err := t.settings(dir, home)
	if err != nil {
		return t, err
	}
	if !usable(where["GOCACHE"]) {
		if where["GOCACHE"], err = ownCache(filepath.Dir(dir), home); err != nil {
			return t, err
		}
	}
	if where["GOPATH"] == "" {
		where["GOPATH"] = filepath.Join(home, "go")
	}
	if where["GOMODCACHE"] == "" {
		where["GOMODCACHE"] = filepath.Join(where["GOPATH"], "pkg", "mod")
	}
	cc, err := compiler(where["CC"])
	t.lacks = err
	where["CC"] = cc
	cgo := "1"
	if t.lacks != nil { // as the go command has it by itself, and without the race detector that is enough
		cgo = "0"
	}
	t.env = []string{
		"GOENV=off", "GOFLAGS=-mod=readonly -buildvcs=false", "GOWORK=off", "GOPROXY=off", "GOSUMDB=off", "GO111MODULE=on",
		"GOTOOLCHAIN=local", "CGO_ENABLED=" + cgo, "LC_ALL=C", "HOME=" + home, "TMPDIR=" + dir, "PATH=" + searchPath(filepath.Dir(t.path)),
	}
	for name, value := range where {
		if value != "" {
			t.env = append(t.env, name+"="+value)
		}
	}
	// Asked for only: it has the standard library compiled once more.
	if slices.Contains(strings.Split(os.Getenv("GOEXPERIMENT"), ","), leakProfile) {
		t.env = append(t.env, "GOEXPERIMENT="+leakProfile)
	}
	slices.Sort(t.env)
	return t, nil
}

// leakProfile is the experiment by which a program can prove that nothing can ever
// wake a goroutine.
const leakProfile = "goroutineleakprofile"

// settings asks the go command for what is the person's to choose. What else the
// environment sets is kept from it: some of it would make the question itself fail.
func (t *tool) settings(dir, home string) (where map[string]string, err error) {
	kept := slices.DeleteFunc(os.Environ(), func(e string) bool {
		name, _, _ := strings.Cut(e, "=")
		switch name {
		case "GOCACHE", "GOMODCACHE", "GOPATH", "GOENV", "CC":
			return false
		}
		return strings.HasPrefix(name, "GO") || name == "HOME" || name == "TMPDIR" || name == "PWD"
	})
	for _, root := range []string{"", os.Getenv("GOROOT")} {
		env := append(slices.Clone(kept), "GOFLAGS=-mod=readonly", "GOWORK=off", "GOTOOLCHAIN=local", "HOME="+home, "TMPDIR="+dir, "PWD="+dir)
		if root != "" { // only a go command that does not find its own needs it
			env = append(env, "GOROOT="+root)
		}
		ask := exec.Command(t.path, "env", "-json", "GOCACHE", "GOMODCACHE", "GOPATH", "CC", "GOVERSION")
		ask.Dir, ask.Env = dir, env
		var out []byte
		if out, err = ask.Output(); err == nil {
			if err = json.Unmarshal(out, &where); err == nil {
				where["GOROOT"], t.version = root, where["GOVERSION"]
				delete(where, "GOVERSION") // it is no setting
				return where, nil
			}
		}
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = errors.New(strings.TrimSpace(string(exit.Stderr)))
		}
	}
	return nil, fmt.Errorf("ask the go command for its settings: %w", err)
}

// homeFolder is the person's, whatever the environment says of it.
func homeFolder() string {
	home := os.Getenv("HOME")
	if info, err := os.Stat(home); err == nil && info.IsDir() && filepath.IsAbs(home) {
		return home
	}
	if me, err := user.Current(); err == nil && me.HomeDir != "" {
		return me.HomeDir
	}
	return "/"
}

// ownCache is a build cache for one whose own cannot be used: below the home folder
// or, where nothing can be written there, in the folder for temporary files.
func ownCache(temp, home string) (string, error) {
	cache := filepath.Join(home, ".cache", "go-build")
	if usable(cache) {
		return cache, nil
	}
	cache = filepath.Join(temp, "prokata-cache-"+strconv.Itoa(os.Getuid()))
	_ = os.Mkdir(cache, 0o700)
	// Others can write there too: what is not this user's own is not trusted.
	info, err := os.Lstat(cache)
	if err == nil {
		if st, ok := info.Sys().(*syscall.Stat_t); info.IsDir() && ok && int(st.Uid) == os.Getuid() && info.Mode().Perm()&0o022 == 0 && usable(cache) {
			return cache, nil
		}
		err = fmt.Errorf("%s is not this user's own", cache)
	}
	return "", fmt.Errorf("there is no place for the build cache: set GOCACHE to a folder that you can write to: %w", err)
}

// usable tells whether the go command could keep its results in dir.
func usable(dir string) bool {
	if !filepath.IsAbs(dir) || os.MkdirAll(dir, 0o777) != nil {
		return false
	}
	f, err := os.CreateTemp(dir, "prokata-")
	if err != nil {
		return false
	}
	_, err = f.Write(make([]byte, 64<<10))
	f.Close()
	return os.Remove(f.Name()) == nil && err == nil
}

// compiler returns the C compiler, for the race detector's sake.
func compiler(asked string) (cc string, err error) {
	if runtime.GOOS == "darwin" {
		return asked, nil // its race detector links without one
	}
	words := strings.Fields(asked)
	if len(words) > 0 && find(words[0], ccPlaces) != "" {
		return asked, nil
	}
	if os.Getenv("CC") != "" {
		return asked, fmt.Errorf("%w (CC=%s is not there)", errNoCompiler, asked)
	}
	for _, name := range []string{"gcc", "cc", "clang"} {
		if path := find(name, ccPlaces); path != "" {
			return path, nil
		}
	}
	return asked, errNoCompiler
}

// find returns the path of a program that PATH or one of the folders has.
func find(name string, folders []string) string {
	if path, err := exec.LookPath(name); err == nil && filepath.IsAbs(path) {
		return path
	}
	for _, dir := range folders {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil && filepath.IsAbs(path) {
			return path
		}
	}
	return ""
}

// searchPath is PATH with the folder of the go command before it, and behind it those
// that every system has.
func searchPath(first string) string {
	all := append([]string{first}, filepath.SplitList(os.Getenv("PATH"))...)
	return strings.Join(append(all, ccPlaces...), string(filepath.ListSeparator))
}
