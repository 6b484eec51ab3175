// Package rubric turns a verdict on a kata into points. Without a rubric file it is what
// kata.json says: so many for each step, or for each test of a kata without steps.
package rubric

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"prokata/checker/internal/judge/detect"
	"prokata/checker/internal/judge/grade"
	"prokata/checker/internal/source/kata"
)

// A Rubric is a teacher's own weights, as its file has them. Whatever is left out stays as
// it is.
type Rubric struct {
	Points  map[string]float64 `json:"points,omitempty"`  // of a step or test of each group: core, bonus, hard
	Quality map[string]float64 `json:"quality,omitempty"` // of each kata that has started and has the quality
	Katas   map[string]Kata    `json:"katas,omitempty"`   // by name
}

// A Kata is what is special to one kata.
type Kata struct {
	Steps map[string]float64 `json:"steps,omitempty"` // by the name of the step, or of the test where there are no steps
	Times *float64           `json:"times,omitempty"` // all of its points, times this
}

// qualities are what a program may be beside correct, each with the findings that deny it.
var qualities = map[string][]string{
	"race-free":     {"race", "shared-race"},
	"deadlock-free": {"deadlock", "livelock", "timeout", "busy-wait"},
	"leak-free":     {"orphan", "zombie", "goroutine-leak", "fd-leak", "shm-leak", "file-leak"},
}

// Names lists the qualities.
func Names() []string { return slices.Sorted(maps.Keys(qualities)) }

// Read reads a rubric file and holds it against the katas: a name that nobody has would
// silently give no points.
func Read(text []byte, katas []kata.Kata) (r Rubric, _ error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return r, fmt.Errorf("%s; it holds \"points\", \"quality\" and \"katas\"", strings.TrimPrefix(err.Error(), "json: "))
	}
	var wrong []string
	for _, of := range []struct {
		what  string
		given map[string]float64
		known []string
	}{
		{"points", r.Points, []string{string(kata.Core), string(kata.Bonus), string(kata.Hard)}},
		{"quality", r.Quality, Names()},
	} {
		wrong = append(wrong, check(of.what, of.given, of.known)...)
	}
	for _, name := range slices.Sorted(maps.Keys(r.Katas)) {
		i := slices.IndexFunc(katas, func(k kata.Kata) bool { return k.Name == name })
		if i < 0 {
			wrong = append(wrong, fmt.Sprintf("katas: there is no kata %q", name))
			continue
		}
		var known []string
		for _, s := range katas[i].Steps {
			known = append(known, s.Name)
		}
		if len(known) == 0 {
			for _, t := range katas[i].Tests {
				known = append(known, t.Name)
			}
		}
		wrong = append(wrong, check(name, r.Katas[name].Steps, known)...)
		if t := r.Katas[name].Times; t != nil && *t < 0 {
			wrong = append(wrong, name+": \"times\" must not be negative")
		}
	}
	if len(wrong) > 0 {
		return r, errors.New(strings.Join(wrong, "; "))
	}
	return r, nil
}

func check(what string, given map[string]float64, known []string) (wrong []string) {
	for _, name := range slices.Sorted(maps.Keys(given)) {
		switch {
		case !slices.Contains(known, name):
			wrong = append(wrong, fmt.Sprintf("%s: %q is none of %s", what, name, strings.Join(known, ", ")))
		case given[name] < 0:
			wrong = append(wrong, fmt.Sprintf("%s: %q must not be negative", what, name))
		}
	}
	return wrong
}

// Grade gives the points for a verdict, and how many there are.
func (r Rubric) Grade(v grade.Kata) (points, most float64) {
	add := func(worth float64, holds bool) {
		most += worth
		if holds {
			points += worth
		}
	}
	for _, s := range v.Steps {
		add(r.worth(v.Name, s.Name, s.Group, s.Points), s.Verdict == grade.Pass)
	}
	if len(v.Steps) == 0 {
		for _, t := range v.Tests {
			add(r.worth(v.Name, t.Name, t.Group, grade.Points(t.Group)), t.Verdict == grade.Pass)
		}
	}
	has := Qualities(v)
	for _, q := range Names() {
		add(r.Quality[q], has[q])
	}
	if t := r.Katas[v.Name].Times; t != nil {
		points, most = points**t, most**t
	}
	return points, most
}

func (r Rubric) worth(kata, name, group string, usual int) float64 {
	if p, ok := r.Katas[kata].Steps[name]; ok {
		return p
	}
	if p, ok := r.Points[group]; ok {
		return p
	}
	return float64(usual)
}

// Qualities tells which qualities a program has shown. One of which no test passed has
// shown none: what does nothing leaks nothing.
func Qualities(v grade.Kata) map[string]bool {
	has := map[string]bool{}
	if !slices.ContainsFunc(v.Tests, func(t grade.Test) bool { return t.Verdict == grade.Pass }) {
		return has
	}
	for name, codes := range qualities {
		has[name] = !slices.ContainsFunc(v.Findings, func(f detect.Finding) bool { return f.Follows == "" && slices.Contains(codes, f.Code) })
	}
	return has
}
