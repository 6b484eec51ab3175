package harness

import (
	"fmt"
	"regexp"

	"prokata/checker/internal/source/kata"
)

// chosen returns the top-level tests that -run and -skip choose. Which of their
// subtests run is package testing's to say.
func (o *options) chosen(k kata.Kata) ([]string, error) {
	run, err := alternatives("-test.run", o.run)
	if err != nil {
		return nil, err
	}
	skip, err := alternatives("-test.skip", o.skip)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, t := range k.Tests {
		yes, no := false, false
		for _, a := range run {
			yes = yes || a.test.MatchString(t.Name)
		}
		for _, a := range skip {
			no = no || o.skip != "" && a.whole && a.test.MatchString(t.Name)
		}
		if yes && !no {
			names = append(names, t.Name)
		}
	}
	return names, nil
}

// An alternative is one of those that a pattern has between bars: what a test's name
// must match, and whether that is all of it.
type alternative struct {
	test  *regexp.Regexp
	whole bool // no part for subtests follows
}

// alternatives splits a pattern as package testing does (splitRegexp in its match.go):
// at bars and slashes outside of brackets and parentheses.
func alternatives(flag, pattern string) (all []alternative, err error) {
	brackets, parens, begin, slash := 0, 0, 0, -1
	add := func(end int) {
		name := pattern[begin:end]
		if slash >= 0 {
			name = pattern[begin:slash]
		}
		re, bad := regexp.Compile(name)
		if bad != nil {
			err = fmt.Errorf("%s: %w", flag, bad)
			return
		}
		all = append(all, alternative{re, slash < 0})
		begin, slash = end+1, -1
	}
	for i := 0; i < len(pattern) && err == nil; i++ {
		outside := brackets == 0 && parens == 0
		switch c := pattern[i]; {
		case c == '[':
			brackets++
		case c == ']':
			brackets = max(brackets-1, 0)
		case c == '(' && brackets == 0:
			parens++
		case c == ')' && brackets == 0:
			parens--
		case c == '\\':
			i++
		case c == '/' && outside && slash < 0:
			slash = i
		case c == '|' && outside:
			add(i)
		}
	}
	if err == nil {
		add(len(pattern))
	}
	return all, err
}
