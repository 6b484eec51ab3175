package harness

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"prokata/checker/internal/evidence"
)

// options are the flags that this process was given, as far as it heeds them itself.
// All others are handed on to the process that runs the tests.
type options struct {
	nothing   bool // no test is to be run
	more      bool // benchmarks or fuzzing come after the tests
	run, skip string
	count     int
	cpu       []string // values of -cpu, one run of the tests for each
	timeout   time.Duration
	failFast  bool

	profiles []string          // flags that name a file which each test process would write anew
	values   map[string]string // their values
	rest     []string          // what is handed on as it is
	started  int               // test processes so far
}

// own are the flags that the supervisor heeds by itself.
var own = []string{"test.run", "test.skip", "test.count", "test.cpu", "test.timeout", "test.bench", "test.fuzz", "test.fuzzcachedir", "test.list"}

func value(name string) string {
	if f := flag.Lookup(name); f != nil {
		return f.Value.String()
	}
	return ""
}

func given() *options {
	o := &options{
		nothing: value("test.list") != "" || value("test.fuzzworker") == "true",
		more:    value("test.bench") != "" || value("test.fuzz") != "",
		run:     value("test.run"), skip: value("test.skip"),
		failFast: value("test.failfast") == "true",
		cpu:      strings.Split(value("test.cpu"), ","),
		values:   map[string]string{},
	}
	o.count, _ = strconv.Atoi(value("test.count"))
	o.timeout, _ = time.ParseDuration(value("test.timeout"))
	if o.more && o.run == "^$" {
		o.nothing = true // as one does who wants benchmarks alone
	}
	profiles := []string{"test.coverprofile", "test.cpuprofile", "test.memprofile", "test.blockprofile", "test.mutexprofile", "test.trace"}
	flag.Visit(func(f *flag.Flag) {
		switch {
		case slices.Contains(own, f.Name):
		case slices.Contains(profiles, f.Name):
			o.profiles = append(o.profiles, f.Name)
			o.values[f.Name] = f.Value.String()
		default:
			o.rest = append(o.rest, "-"+f.Name+"="+f.Value.String())
		}
	})
	if o.more && !o.nothing {
		// So that it does not miss tests where there are benchmarks, nor run those twice.
		o.rest = append(o.rest, "-test.bench=^$")
		_ = flag.Set("test.run", "^$")
		// Profiles are wanted of the benchmarks, coverage of the tests.
		o.profiles = slices.DeleteFunc(o.profiles, func(name string) bool { return name != "test.coverprofile" })
		_ = flag.Set("test.coverprofile", "")
	}
	return o
}

// processes returns, for each run of the tests that was asked for, what makes the flags
// of its processes.
func (o *options) processes() (all []func() []string) {
	for _, cpu := range o.cpu {
		for range o.count {
			all = append(all, func() []string { return o.args(cpu) })
		}
	}
	if len(all) == 0 && !o.more { // a mistyped -run, or -count=0: go test looks for this line
		fmt.Fprintln(os.Stderr, "testing: warning: no tests to run")
	}
	return all
}

// args are the flags of the next test process.
func (o *options) args(cpu string) []string {
	args := slices.Clone(o.rest)
	if cpu != "" {
		args = append(args, "-test.cpu="+cpu)
	}
	for _, name := range o.profiles {
		args = append(args, "-"+name+"="+part(o.values[name], o.started))
	}
	o.started++
	if flag.NArg() > 0 {
		if strings.HasPrefix(flag.Arg(0), "-") {
			args = append(args, "--")
		}
		args = append(args, flag.Args()...)
	}
	return args
}

// part is the file that test process n writes in the place of file.
func part(file string, n int) string {
	if n == 0 {
		return file
	}
	return fmt.Sprintf("%s.%d", file, n+1)
}

// merge puts together what several test processes have written to files of their own,
// and says what it cannot put together.
func (o *options) merge(runs []evidence.Run) {
	for _, name := range o.profiles {
		file := o.values[name]
		if dir := value("test.outputdir"); dir != "" && !filepath.IsAbs(file) {
			file = filepath.Join(dir, file)
		}
		switch {
		case name == "test.coverprofile":
			if err := join(file, o.started); err != nil {
				fmt.Fprintln(os.Stderr, "harness: put the profiles of coverage together:", err)
			}
		case o.started > 1:
			fmt.Fprintf(os.Stderr, "harness: the tests ran in %d processes: what -%s asked for is in %s and in files of that name with a number\n", o.started, strings.TrimPrefix(name, "test."), file)
		}
		if slices.ContainsFunc(runs, func(r evidence.Run) bool {
			return slices.ContainsFunc(r.Tests, func(t evidence.Test) bool { return t.Status == evidence.Aborted })
		}) {
			fmt.Fprintf(os.Stderr, "harness: a process that was ended has written nothing of what -%s asked for\n", strings.TrimPrefix(name, "test."))
		}
	}
}

// join adds the profiles of coverage of the later processes to that of the first. A
// profile is a line "mode: atomic" and one line a block; a block may stand there more
// than once.
func join(file string, n int) error {
	whole, _ := os.ReadFile(file) // the first process may have been ended before it wrote
	for i := 1; i < n; i++ {
		name := part(file, i)
		b, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		if _, rest, ok := strings.Cut(string(b), "\n"); ok && len(whole) > 0 {
			b = []byte(rest)
		}
		whole = append(whole, b...)
		if err := os.Remove(name); err != nil {
			return err
		}
	}
	if len(whole) == 0 {
		return nil
	}
	return os.WriteFile(file, whole, 0o666)
}
