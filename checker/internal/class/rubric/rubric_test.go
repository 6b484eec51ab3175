package rubric

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/internal/judge/detect"
	"prokata/checker/internal/judge/grade"
	"prokata/checker/internal/source/kata"
)

var katas = []kata.Kata{
	{Name: "spawn", Steps: []kata.Step{{Name: "hello"}, {Name: "files"}}},
	{Name: "queue", Tests: []kata.Test{{Name: "TestOne"}}},
}

func spawn(codes ...string) grade.Kata {
	v := grade.Kata{
		Name:  "spawn",
		Steps: []grade.Step{{Name: "hello", Group: "core", Points: 3, Verdict: grade.Pass}, {Name: "files", Group: "hard", Points: 2, Verdict: grade.Fail}},
		Tests: []grade.Test{{Name: "TestHello", Group: "core", Verdict: grade.Pass}, {Name: "TestFiles", Group: "hard", Verdict: grade.Fail}},
	}
	for _, c := range codes {
		v.Findings = append(v.Findings, detect.Finding{Code: c})
	}
	return v
}

func TestGrade(t *testing.T) {
	for _, row := range []struct {
		why, rubric  string
		v            grade.Kata
		points, most float64
	}{
		{"as kata.json says", `{}`, spawn(), 3, 5},
		{"by group", `{"points": {"core": 10}}`, spawn(), 10, 12},
		{"a step is worth its own", `{"points": {"core": 10}, "katas": {"spawn": {"steps": {"hello": 1}}}}`, spawn(), 1, 3},
		{"a quality that was shown", `{"quality": {"race-free": 4}}`, spawn("zombie"), 7, 9},
		{"one that was not", `{"quality": {"leak-free": 4}}`, spawn("zombie"), 3, 9},
		{"what does nothing leaks nothing, and earns nothing", `{"quality": {"leak-free": 4}}`, grade.Kata{Name: "spawn", Steps: spawn().Steps[1:], Tests: spawn().Tests[1:]}, 0, 6},
		{"times", `{"katas": {"spawn": {"times": 0.5}}}`, spawn(), 1.5, 2.5},
		{"without steps, by tests", `{"katas": {"queue": {"steps": {"TestOne": 7}}}}`, grade.Kata{Name: "queue", Tests: []grade.Test{{Name: "TestOne", Group: "core", Verdict: grade.Pass}}}, 7, 7},
	} {
		r, err := Read([]byte(row.rubric), katas)
		require.NoError(t, err, row.why)
		points, most := r.Grade(row.v)
		assert.Equal(t, []float64{row.points, row.most}, []float64{points, most}, row.why)
	}
	// What follows from another finding is held against nobody twice.
	v := spawn("wrong", "zombie")
	v.Findings[1].Follows = "wrong"
	assert.True(t, Qualities(v)["leak-free"])
}

// A name that nobody has would silently give no points.
func TestReadRefuses(t *testing.T) {
	for text, want := range map[string]string{
		`{"point": {}}`:                                   `unknown field "point"`,
		`{"points": {"cor": 1}}`:                          `points: "cor" is none of core, bonus, hard`,
		`{"points": {"core": -1}}`:                        `"core" must not be negative`,
		`{"quality": {"fast": 1}}`:                        `quality: "fast" is none of deadlock-free, leak-free, race-free`,
		`{"katas": {"spam": {}}}`:                         `there is no kata "spam"`,
		`{"katas": {"spawn": {"steps": {"TestOne": 1}}}}`: `spawn: "TestOne" is none of hello, files`,
		`{"katas": {"spawn": {"times": -1}}}`:             `"times" must not be negative`,
		`[]`:                                              "cannot unmarshal",
	} {
		_, err := Read([]byte(text), katas)
		assert.ErrorContains(t, err, want)
	}
}
