package instrument

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// A Site is the place at which a process opened something, as a hook saw it.
type Site struct {
	PID    int
	Kind   string // "fd", "map", OwnChild, OtherChild or EndedChild
	Number int    // the descriptor, the child's process ID, or the mapping's size
	Name   string // what the descriptor or mapping is of, or the child's argument 0
	File   string
	Line   int
	Sure   bool   // no other such place was being passed in this process
	From   string // FILE:LINE that called the function in which the place is, if it is the source's own
}

// The kinds of children: one that ran the program of its parent, one that ran another,
// and one of which that could not be seen any more.
const (
	OwnChild   = "child"
	OtherChild = "other"
	EndedChild = "ended"
)

// Child tells whether a child was started there.
func (s Site) Child() bool { return s.Kind == OwnChild || s.Kind == OtherChild || s.Kind == EndedChild }

// ReadSites reads what package perturb's Opened recorded, oldest first:
//
//	4312	fd	7	pipe:[81734]	/src/katas/01-spawn/spawn.go:31	sure	/src/katas/01-spawn/spawn.go:88
//
// A descriptor's number is used again after it was closed: the last one counts.
func ReadSites(text string) ([]Site, error) {
	var sites []Site
	var errs []error
	for line := range strings.Lines(text) {
		s, err := readSite(strings.TrimSuffix(line, "\n"))
		if err != nil {
			errs = append(errs, fmt.Errorf("site %q: %w", line, err))
			continue
		}
		sites = append(sites, s)
	}
	return sites, errors.Join(errs...)
}

func readSite(line string) (Site, error) {
	fields := strings.Split(line, "\t")
	if len(fields) != 6 && len(fields) != 7 {
		return Site{}, fmt.Errorf("%d fields, want 6, or 7", len(fields))
	}
	colon := strings.LastIndexByte(fields[4], ':')
	if colon < 0 {
		return Site{}, fmt.Errorf("place %q: not file:line", fields[4])
	}
	s := Site{Kind: fields[1], Name: fields[3], File: fields[4][:colon], Sure: fields[5] == "sure"}
	if len(fields) == 7 {
		s.From = fields[6]
	}
	for to, text := range map[*int]string{&s.PID: fields[0], &s.Number: fields[2], &s.Line: fields[4][colon+1:]} {
		n, err := strconv.Atoi(text)
		if err != nil {
			return Site{}, err
		}
		*to = n
	}
	return s, nil
}
