package policy_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"prokata/checker/internal/source/policy"
)

// stoppedBy is the line of a hostile submission's head that says which defence
// has to stop it.
var stoppedBy = regexp.MustCompile(`(?m)^// Stopped by: (policy|harness|policy, harness|sandbox \(later\))\.$`)

// TestHostile: what the policy is to stop, it refuses; what it is not, it lets
// pass, so that the other defences are tried on it.
func TestHostile(t *testing.T) {
	dirs, err := filepath.Glob("../../../../testdata/hostile/*/*")
	if err != nil {
		t.Fatal(err)
	}
	if len(dirs) < 40 {
		t.Fatalf("%d hostile submissions, want at least 40", len(dirs))
	}
	for _, dir := range dirs {
		t.Run(filepath.Base(filepath.Dir(dir)), func(t *testing.T) {
			// The head stands in the file that the kata asks for.
			files, err := filepath.Glob(filepath.Join(dir, strings.SplitN(filepath.Base(dir), "-", 2)[1]+".go"))
			if err != nil || len(files) != 1 {
				t.Fatalf("files %v, error %v", files, err)
			}
			src, err := os.ReadFile(files[0])
			if err != nil {
				t.Fatal(err)
			}
			m := stoppedBy.FindSubmatch(src)
			if m == nil || !strings.HasPrefix(string(src), "// Attack: ") || !strings.Contains(string(src), "\n// want ") {
				t.Fatal("the head says no attack, no defence or no finding")
			}
			vs := policy.Check(taken(t, dir), policy.Untrusted)
			if got, want := policy.Refused(vs), strings.HasPrefix(string(m[1]), "policy"); got != want {
				t.Errorf("refused: %v, want %v: %v", got, want, vs)
			}
		})
	}
}
