package detect

import (
	"slices"
	"strings"

	"prokata/checker/internal/evidence"
)

// NotStarted is what a finding follows from when its test met a function that nobody
// has written yet.
const NotStarted = "not-started"

// A precedence says which of two findings of one test is told as the cause. The other
// is kept, and marked with the code of the first (Finding.Follows).
type precedence struct {
	cause   string
	effects []string
	when    func(sight) bool // what else must hold; nil: always
	why     string           // for whoever changes this table
}

// A sight is an effect with what was seen around it.
type sight struct {
	test      evidence.Test
	effect    Finding
	elsewhere bool // the same was found in a test in which no assertion failed
}

// The table. An assertion is never explained away by what its own failure left behind:
// what a test has begun and no longer comes to end is not the learner's.
var precedences = []precedence{
	{
		"tamper",
		[]string{"wrong", "crash", "fd-leak"},
		nil,
		"who reaches for the harness breaks what the harness needs",
	},
	{
		"race",
		[]string{"wrong"},
		aValue,
		"what a racy program gives is undefined: the two places are nearer to the mistake than what came of it",
	},
	{
		"shared-race",
		[]string{"wrong"},
		aValue,
		"a lost update is a race, and the wrong sum its trace",
	},
	{
		"crash",
		[]string{"wrong"},
		func(s sight) bool { return s.test.Status != evidence.Aborted },
		"the test found out that a child had not done its work; the child's stack says why",
	},
	{
		"wrong",
		[]string{"crash"},
		func(s sight) bool {
			return s.test.Status == evidence.Aborted && (s.effect.File == "" || strings.HasSuffix(s.effect.File, "_test.go"))
		},
		"the test went on after a failed assertion with what it had got, and it was the test that panicked",
	},
	{
		"limit",
		[]string{"wrong"},
		func(s sight) bool { return s.test.Status != evidence.Aborted },
		"the kernel refused what went over the bound, and the test noticed",
	},
	{
		"limit",
		[]string{"crash", "not-processes"},
		nil,
		"the tree was ended as it went over the bound",
	},
	{
		"wrong",
		[]string{"deadlock", "livelock", "busy-wait", "timeout", "limit"},
		func(s sight) bool { return stopped(s.test) },
		"the assertion ended the test's own function: what hung afterwards was its clean-up",
	},
	{
		"wrong",
		[]string{"orphan", "zombie", "not-processes"},
		func(s sight) bool { return stopped(s.test) && !s.elsewhere },
		"the test did not come to what would have started, ended or awaited them",
	},
	{
		"wrong",
		[]string{"fd-leak", "goroutine-leak", "shm-leak", "file-leak"},
		func(s sight) bool { return !s.elsewhere },
		"a test that got something where it expected an error, or less than it expected, drops what it got",
	},
	{"deadlock", []string{"timeout", "limit"}, nil, "the proof says more than the time that it took"},
	{"livelock", []string{"timeout", "busy-wait"}, nil, "the proof says more than the time that it took"},
	{"busy-wait", []string{"timeout"}, nil, "the process that spun is what the time went into"},
	{"orphan", []string{"fd-leak", "goroutine-leak", "shm-leak", "file-leak"}, nil, "the child holds them, and who waits for the child"},
	{"zombie", []string{"fd-leak", "goroutine-leak"}, nil, "Wait closes the pipes of a child and ends their goroutines"},
}

// aValue reports whether a test found a wrong value, which a race can make, and not that
// an error did or did not come.
func aValue(s sight) bool {
	return !slices.ContainsFunc(s.effect.Detail, func(line string) bool {
		return strings.HasPrefix(line, "expected: an error") || strings.HasPrefix(line, "expected: no error")
	})
}

// follow marks in place the findings that are consequences of others.
func follow(run evidence.Run, all []Finding) {
	tests := map[string]evidence.Test{}
	for _, t := range run.Tests {
		tests[t.Name] = t
	}
	found := map[[2]string]bool{} // test and code
	for _, f := range all {
		found[[2]string{f.Test, f.Code}] = true
	}
	for i := range all {
		f := &all[i]
		t := tests[f.Test]
		if unwritten(t) && f.Code != "tamper" {
			f.Follows = NotStarted
			continue
		}
		s := sight{test: t, effect: *f, elsewhere: slices.ContainsFunc(all, func(g Finding) bool {
			return g.Test != f.Test && g.Code == f.Code && g.File == f.File && g.Line == f.Line && (g.File != "" && !g.Guess || g.Code == "not-processes") &&
				!found[[2]string{g.Test, "wrong"}] && !unwritten(tests[g.Test])
		})}
		for _, p := range precedences {
			if found[[2]string{f.Test, p.cause}] && slices.Contains(p.effects, f.Code) && (p.when == nil || p.when(s)) {
				f.Follows = p.cause
				break
			}
		}
	}
	// What follows from a consequence follows from its cause.
	for i := range all {
		for range precedences {
			j := slices.IndexFunc(all, func(g Finding) bool { return g.Test == all[i].Test && g.Code == all[i].Follows })
			if j < 0 || all[j].Follows == "" || all[j].Follows == NotStarted {
				break
			}
			all[i].Follows = all[j].Follows
		}
	}
}

// stopped reports whether an assertion ended the test's own function at its line
// (FailNow): what stands below that line, the closing of things included, never ran.
func stopped(t evidence.Test) bool {
	_, ok := stoppedAt(t)
	return t.Stopped || ok
}

// stoppedAt finds the test's line in the stack of a clean-up that was still under way
// as the supervisor ended the test:
//
//	os.(*File).Read()                                 what the clean-up waits for
//	prokata/katas/04-queue_test.TestFull.func1()      the clean-up
//	runtime.Goexit()
//	testing.(*common).FailNow()
//	github.com/stretchr/testify/require.NoError()
//	prokata/katas/04-queue_test.TestFull()            the line
func stoppedAt(t evidence.Test) (evidence.Frame, bool) {
	for _, s := range t.Stacks {
		for _, g := range s.Goroutines {
			at := slices.IndexFunc(g.Frames, func(f evidence.Frame) bool { return f.Func == "testing.(*common).FailNow" })
			if at < 0 {
				continue
			}
			for _, f := range g.Frames[at:] {
				if strings.HasSuffix(f.File, "_test.go") {
					return f, true
				}
			}
		}
	}
	return evidence.Frame{}, false
}

// Causes returns the findings that follow from no other.
func Causes(all []Finding) []Finding {
	return slices.DeleteFunc(slices.Clone(all), func(f Finding) bool { return f.Follows != "" })
}
