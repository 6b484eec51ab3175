package run

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"prokata/checker/internal/evidence"
	"prokata/checker/internal/source/kata"
	"prokata/checker/internal/tree/observe"
	"prokata/checker/internal/tree/place"
)

// Supervise runs the job in this process, which becomes the reaper of every
// process that the job leaves without a parent, and returns what was seen.
// Nothing that the job started is alive afterwards. A process supervises one job
// at a time. The error is the context's, or the checker's own trouble.
func Supervise(ctx context.Context, job Job, judge Judge) (evidence.Run, error) {
	start := time.Now()
	all := job.tests()
	result := evidence.Run{
		Version: evidence.Version, Kata: job.Kata.Folder, Source: job.Source, Seed: job.Seed, RaceBuild: job.Race,
		Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, Build: evidence.Build{OK: true},
		Unchecked: unchecked(), Steps: job.steps(),
	}
	if err := adoptOrphans(); err != nil {
		return result, fmt.Errorf("%w: become the reaper of orphans: %w", errSetUp, err)
	}
	place.Prepare()
	place.Umask()
	if lacks := place.Look(job.need(true)); len(lacks) > 0 {
		result.Fault = strings.Join(lacks, "\n    ")
		return result, nil
	}
	refused := place.Note()
	if job.Box != nil && job.Box.Memory != "" {
		refused = place.Count{} // the tree has a group of its own, and what is refused elsewhere is no matter
	}
	dir, err := newPrivate(job.Box)
	if err != nil {
		return result, err
	}
	defer dir.remove()
	line := &chronicle{}
	starts, err := newStarts(dir.dir, job.Binary, job.Box, line)
	if err != nil {
		return result, err
	}
	defer starts.close()
	cage := newCage(job.Kata.Limits.Processes, job.Box)
	defer cage.remove()
	defer endAll(0)

	var todo []*evidence.Test
	for i := range all {
		todo = append(todo, &all[i])
	}
	// A test that is ended from outside takes its process with it; the tests
	// after it go on in a new one.
	slow, err := slowness(ctx, job)
	if err != nil {
		result.Fault = err.Error()
		return result, nil
	}
	ownNet := false
	lot, vain := lot{on: job.Untrusted}, 0
	var used observe.Spent // by all test processes
	for len(todo) > 0 {
		batch := together(todo, job.Climb)
		tests, canaries := lot.draw(all, batch)
		s, err := start1(job, judge, dir, cage, starts, line, slow, tests, canaries)
		if err != nil {
			return result, err
		}
		ownNet = job.Box != nil || ownNetwork(s.cmd.Process.Pid)
		err = s.watch(ctx)
		result.Output += s.outside
		result.Tampering = append(result.Tampering, s.lies()...)
		used.CPU += s.account.Spent().CPU
		used.Rest += s.account.Spent().Rest
		if result.Exit == "" || result.Exit == succeeded {
			result.Exit = s.exit
		}
		for _, code := range s.unseen {
			if !slices.Contains(result.Unchecked, code) {
				result.Unchecked = append(result.Unchecked, code)
			}
		}
		if err != nil {
			return result, err
		}
		if s.fault != "" {
			result.Fault = s.fault
			return result, nil
		}
		if job.FailFast && slices.ContainsFunc(all, bad) {
			break
		}
		if hopelessly(all) || job.Climb && below(all, batch[0].Step) {
			break
		}
		cut := slices.ContainsFunc(batch, func(t *evidence.Test) bool { return t.Status == evidence.Aborted })
		before := len(todo)
		if job.Asked != nil && !cut {
			todo = todo[len(batch):] // package testing knows why it did not begin the others of these
			continue
		}
		todo = slices.DeleteFunc(todo, func(t *evidence.Test) bool { return t.Status != "" })
		if limit := overRun(job.Kata.Limits.Seconds, slow, used); limit != nil && job.Asked == nil {
			for _, t := range todo {
				t.Status, t.Limit, t.Exit = evidence.Aborted, limit, "the tests before it had used up the time of the whole run"
			}
			break
		}
		if len(todo) == before {
			vain++
		}
		if len(todo) == before && (!began(tests) || vain > mostCanaries) {
			// Not one test began: another process would do the same.
			for _, t := range batch {
				t.Status, t.Exit = evidence.Aborted, "the program ended before the test began: "+s.exit
				t.Crashes = s.crashes
			}
			if !isOwn(batch[0]) {
				break
			}
			todo = todo[1:]
		}
	}
	if job.Asked != nil {
		all = slices.DeleteFunc(all, func(t evidence.Test) bool { return t.Status == "" && t.Unjudged == "" })
	}
	blame(all, dir.broken())
	surroundings(all, append(refused.Since(), again(job.need(ownNet), dir)...))
	result.Tests = all
	if len(result.Output) > keep {
		result.Output = result.Output[:keep]
	}
	result.Seconds = time.Since(start).Seconds()
	result.Cost = cost()
	return result, nil
}

// began tells whether one of the tests did.
func began(tests []*evidence.Test) bool {
	return slices.ContainsFunc(tests, func(t *evidence.Test) bool { return t.Status != "" })
}

// succeeded is how a process ends that has nothing to complain of.
const succeeded = "exit status 0"

// hopelessly tells whether so many tests could not be judged that the others need not
// be tried, and gives them the same reason.
func hopelessly(all []evidence.Test) bool {
	n, why := 0, ""
	for _, t := range all {
		if t.Unjudged != "" {
			n, why = n+1, t.Unjudged
		}
	}
	for i := range all {
		if t := &all[i]; n >= givenUp && t.Status == "" {
			t.Unjudged = why
		}
	}
	return n >= givenUp
}

// again looks once more at where it happened, now that something has gone wrong there.
func again(need place.Need, dir *private) []string {
	lacks := place.Look(need)
	if why, ok := place.Room(dir.dir); !ok && dir.bytes() < 1<<20 { // else it is the program that has filled it
		lacks = append(lacks, why)
	}
	return lacks
}

// surroundings takes back what is held against a test where the machine lacked
// something that its program needed: nobody can say what it would have done.
func surroundings(all []evidence.Test, lacks []string) {
	if len(lacks) == 0 {
		return
	}
	for i := range all {
		if t := &all[i]; bad(*t) && t.Unjudged == "" && (t.Limit == nil || t.Limit.Kind == "time") {
			t.Unjudged = strings.Join(lacks, "; ")
		}
	}
}

// below tells whether a test of the step did not hold: who climbs is below that step.
func below(all []evidence.Test, step int) bool {
	return slices.ContainsFunc(all, func(t evidence.Test) bool { return t.Step == step && (bad(t) || len(t.Todo) > 0) })
}

// together returns the first of the tests that one process can run: those of the kata all
// together, or step by step, and each of a learner's own, which may not call the harness,
// by itself.
func together(tests []*evidence.Test, climb bool) []*evidence.Test {
	if climb {
		if i := slices.IndexFunc(tests, func(t *evidence.Test) bool { return t.Step != tests[0].Step }); i > 0 {
			tests = tests[:i]
		}
	}
	if isOwn(tests[0]) {
		return tests[:1]
	}
	if i := slices.IndexFunc(tests, isOwn); i > 0 {
		return tests[:i]
	}
	return tests
}

func isOwn(t *evidence.Test) bool { return t.Group == string(kata.Own) }

// blame names what was broken after the last test had ended: it is that test's, or the
// doing of what that test left behind.
func blame(tests []evidence.Test, broken []string) {
	for i := len(tests) - 1; i >= 0 && len(broken) > 0; i-- {
		if t := &tests[i]; t.Status != "" {
			if len(t.Tampering) == 0 {
				t.Tampering = broken
			}
			return
		}
	}
}

// bad reports whether the test did not go as it should, as far as can be said
// without judging.
func bad(t evidence.Test) bool {
	return t.Status == evidence.Failed || t.Status == evidence.Aborted || !t.Left.Empty() || len(t.Left.Goroutines)+len(t.Races)+len(t.Crashes)+len(t.Tampering) > 0 ||
		slices.ContainsFunc(t.SharedRaces, func(r evidence.SharedRace) bool { return !r.Expected })
}

// named are the variables of this process's own environment that the test process gets
// too: what else is there is nobody's business, and may make the same program earn
// another verdict.
var named = []string{"PATH"}

// changing are variables that change how a Go program or a shell behaves. A person who
// runs tests with go test has set all others, perhaps for them.
var changing = []string{"GODEBUG", "GOGC", "GOMEMLIMIT", "GOMAXPROCS", "GOTRACEBACK", "GORACE", "ENV", "BASH_ENV", "POSIXLY_CORRECT"}

// environment is that of the test process: what is set for it, and of this process's own
// what keep chooses.
func environment(set map[string]string, keep func(name string) bool) []string {
	env := slices.DeleteFunc(os.Environ(), func(e string) bool {
		name, _, _ := strings.Cut(e, "=")
		_, own := set[name]
		return own || strings.HasPrefix(name, "PROKATA_") || !keep(name)
	})
	if os.Getenv("PATH") == "" { // programs that the tests start are where they always are
		env = append(env, "PATH=/usr/local/bin:/usr/bin:/bin")
	}
	for name, value := range set {
		env = append(env, name+"="+value)
	}
	return env
}

// keeps chooses of this process's environment what the tests may see.
func (j Job) keeps(name string) bool {
	if j.Asked != nil {
		return !slices.Contains(changing, name)
	}
	return slices.Contains(named, name)
}
