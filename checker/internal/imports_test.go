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
//
// detect, grade and report are pure: they can judge recorded evidence anywhere.
var allowed = map[string]string{
	"todo":                "",
	"perturb":             "",
	"shm":                 "internal/watch",
	"harness":             "internal/detect internal/evidence internal/grade internal/kata internal/report internal/run internal/trace internal/watch internal/wire perturb",
	"internal/evidence":   "",
	"internal/kata":       "",
	"internal/policy":     "",
	"internal/mutate":     "",
	"internal/instrument": "",
	"internal/trace":      "internal/evidence",
	"internal/watch":      "internal/evidence",
	"internal/observe":    "internal/evidence",
	"internal/wire":       "internal/evidence internal/watch perturb todo",
	"internal/plan":       "internal/kata",
	"internal/build":      "internal/evidence internal/instrument internal/plan",
	"internal/run":        "internal/evidence internal/instrument internal/kata internal/observe internal/trace internal/watch internal/wire",
	"internal/detect":     "internal/evidence",
	"internal/grade":      "internal/detect internal/evidence internal/kata",
	"internal/report":     "internal/detect internal/grade internal/kata",
	"internal/record":     "internal/evidence internal/kata",
	"internal/scaffold":   "internal/kata",
	"internal/check":      "internal/build internal/evidence internal/grade internal/kata internal/plan internal/policy internal/run",
	"internal/verify":     "internal/build internal/check internal/detect internal/evidence internal/grade internal/kata internal/mutate internal/plan internal/wire",
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
