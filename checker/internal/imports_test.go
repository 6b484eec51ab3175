// Package internal_test holds the direction of imports inside the checker as data.
package internal_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// allowed is a statement of policy: what each package of the checker may import of
// the others. A run is a line of values, and no stage reaches back:
//
//	kata -> plan -> build -> run -> evidence -> detect -> grade -> report
//	`---- source ------'    tree     (between)   `----- judge -----------'
//
// The rooms' names say what happens in them. judge is pure: it can judge recorded
// evidence anywhere. tree alone touches processes.
var allowed = map[string]string{
	// what a kata's own code and tests are linked with
	"todo":    "",
	"perturb": "",
	"shm":     "internal/tree/watch",
	"harness": "internal/evidence internal/judge/detect internal/judge/grade internal/judge/report internal/source/kata internal/tree/place internal/tree/run internal/tree/trace internal/tree/watch internal/tree/wire perturb",

	// the watch, a program of its own
	"live": "internal/check internal/check/proved internal/climb internal/judge/detect internal/judge/grade internal/judge/report internal/source/kata internal/source/plan internal/tree/place",

	// the vocabulary between the rooms
	"internal/evidence": "",

	// source: what is to be run
	"internal/source/kata":       "",
	"internal/source/intake":     "",
	"internal/source/patch":      "",
	"internal/source/plan":       "internal/source/intake internal/source/kata",
	"internal/source/policy":     "internal/source/intake",
	"internal/source/instrument": "",
	"internal/source/build":      "internal/evidence internal/source/instrument internal/source/kata internal/source/plan",

	// tree: start it, contain it, see it
	"internal/tree/wakes":   "",
	"internal/tree/observe": "internal/evidence internal/tree/wakes",
	"internal/tree/place":   "",
	"internal/tree/box":     "internal/evidence internal/tree/place",
	"internal/tree/trace":   "internal/evidence",
	"internal/tree/watch":   "internal/evidence",
	"internal/tree/wire":    "internal/evidence internal/tree/watch perturb todo",
	"internal/tree/run":     "internal/evidence internal/source/instrument internal/source/kata internal/tree/observe internal/tree/place internal/tree/trace internal/tree/wakes internal/tree/watch internal/tree/wire",
	"internal/tree/record":  "internal/evidence internal/source/kata",

	// tests alone, that need a browser
	"browser": "",

	// judge: from evidence to words, pure
	"internal/judge/detect":   "internal/evidence",
	"internal/judge/grade":    "internal/evidence internal/judge/detect internal/source/kata",
	"internal/judge/formats":  "internal/judge/detect internal/judge/grade internal/judge/report",
	"internal/judge/report":   "internal/evidence internal/judge/detect internal/judge/grade internal/source/kata",
	"internal/judge/timeline": "internal/evidence internal/judge/detect internal/judge/report",

	// check: leads a kata through the stages
	"internal/check": "internal/check/proved internal/evidence internal/judge/grade internal/source/build internal/source/intake internal/source/kata internal/source/plan internal/source/policy internal/tree/box internal/tree/place internal/tree/run",

	// class: for the grader alone, a program of its own; learners never compile it
	"internal/class/intake":  "internal/source/intake internal/source/kata",
	"internal/class/roster":  "internal/class/intake",
	"internal/class/store":   "internal/judge/grade",
	"internal/class/rubric":  "internal/judge/detect internal/judge/grade internal/source/kata",
	"internal/class/book":    "internal/class/intake internal/class/roster internal/class/rubric internal/class/store internal/evidence internal/judge/detect internal/judge/grade internal/source/kata",
	"internal/class/page":    "internal/class/book internal/class/rubric internal/judge/detect internal/judge/grade internal/judge/report",
	"internal/class/sample":  "internal/prove/flaw internal/source/kata",
	"internal/class/grading": "internal/check internal/class/store internal/judge/grade internal/source/kata internal/tree/place",
	"grader":                 "internal/check internal/class/book internal/class/grading internal/class/intake internal/class/page internal/class/roster internal/class/rubric internal/class/sample internal/class/store internal/judge/formats internal/judge/grade internal/judge/report internal/source/kata internal/tree/place",

	"internal/check/proved": "internal/judge/grade internal/source/plan",

	// climb: what a learner does with a kata
	"internal/climb": "internal/judge/detect internal/judge/grade internal/prove/steps internal/source/kata internal/source/patch internal/source/plan",

	// prove: the repository's own content
	"internal/prove/contract":  "internal/source/kata",
	"internal/prove/flaw":      "internal/judge/detect internal/source/kata internal/source/patch",
	"internal/prove/mutate":    "",
	"internal/prove/scaffold":  "internal/prove/steps internal/source/kata internal/source/patch",
	"internal/prove/slow":      "internal/check internal/evidence internal/judge/grade internal/source/build internal/source/kata internal/source/plan",
	"internal/prove/steps":     "internal/source/kata internal/source/patch",
	"internal/prove/verify":    "internal/check internal/evidence internal/judge/detect internal/judge/grade internal/prove/contract internal/prove/flaw internal/prove/mutate internal/prove/steps internal/source/build internal/source/kata internal/source/patch internal/source/plan internal/tree/wire",
	"internal/prove/sentences": "",
}

// evidence is read by everybody, so it must cost nobody anything.
func TestImports(t *testing.T) {
	const prefix = "prokata/checker/"
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", prefix+"...").Output()
	require.NoError(t, err)
	d := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var pkg struct {
			ImportPath string
			Imports    []string
		}
		err := d.Decode(&pkg)
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		if pkg.ImportPath+"/" == prefix {
			assert.False(t, slices.ContainsFunc(pkg.Imports, func(path string) bool { return strings.HasPrefix(path, prefix+"internal/class/") }),
				"the checker must not import what only the grader needs: a learner's first build would pay for it")
		}
		name, ok := strings.CutPrefix(pkg.ImportPath, prefix)
		if !ok || name == "internal" || strings.Contains(name, "testdata") {
			continue // the command itself may import all
		}
		may, known := allowed[name]
		if !assert.True(t, known, "%s is new: say here what it may import", name) {
			continue
		}
		for _, path := range pkg.Imports {
			path, ok := strings.CutPrefix(path, prefix)
			if ok {
				assert.Contains(t, strings.Fields(may), path, "%s must not import %s", name, path)
			} else if name == "internal/evidence" {
				assert.False(t, strings.Contains(strings.SplitN(path, "/", 2)[0], "."), "evidence must import the standard library alone, not %s", path)
			}
		}
		for path := range strings.FieldsSeq(may) {
			assert.True(t, slices.Contains(pkg.Imports, prefix+path), "%s does not import %s any more: take it out here", name, path)
		}
	}
}
