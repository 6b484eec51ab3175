package timeline

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The trace of each recorded run, of a hostile one and of a crowd keeps Perfetto's rules.
func TestTrace(t *testing.T) {
	pages := map[string]Page{"hostile": New(villain(), nil), "crowd": New(crowd(30), nil)}
	for file, run := range recorded(t) {
		pages[file] = New(run, nil)
	}
	for name, p := range pages {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			require.NoError(t, p.Trace(&b))
			assert.Empty(t, breaches(t, b.Bytes()))
		})
	}
}

// The rules themselves are seen to be broken.
func TestTraceRules(t *testing.T) {
	for want, events := range map[string]string{
		"not inside":   `{"name":"a","ph":"X","ts":0,"dur":10,"pid":1,"tid":1},{"name":"b","ph":"X","ts":5,"dur":10,"pid":1,"tid":1}`,
		"negative":     `{"name":"a","ph":"X","ts":-1,"dur":10,"pid":1,"tid":1}`,
		"two names":    `{"name":"thread_name","ph":"M","ts":0,"pid":1,"tid":1,"args":{"name":"a"}},{"name":"thread_name","ph":"M","ts":0,"pid":2,"tid":1,"args":{"name":"b"}}`,
		"no slice":     `{"name":"start","cat":"c","ph":"s","ts":5,"id":1,"pid":1,"tid":1},{"name":"start","cat":"c","ph":"f","bp":"e","ts":5,"id":1,"pid":1,"tid":1}`,
		"one end":      `{"name":"a","ph":"X","ts":0,"dur":10,"pid":1,"tid":1},{"name":"start","cat":"c","ph":"s","ts":5,"id":1,"pid":1,"tid":1}`,
		"no bp":        `{"name":"a","ph":"X","ts":0,"dur":10,"pid":1,"tid":1},{"name":"start","cat":"c","ph":"s","ts":5,"id":1,"pid":1,"tid":1},{"name":"start","cat":"c","ph":"f","ts":5,"id":1,"pid":1,"tid":1}`,
		"no scope":     `{"name":"x","ph":"i","ts":5,"pid":1,"tid":1}`,
		"no duration":  `{"name":"x","ph":"X","ts":5,"pid":1,"tid":1}`,
		"unknown kind": `{"name":"x","ph":"Q","ts":5,"pid":1,"tid":1}`,
		"back in time": `{"name":"a","ph":"X","ts":0,"dur":10,"pid":1,"tid":1},{"name":"start","cat":"c","ph":"s","ts":6,"id":1,"pid":1,"tid":1},{"name":"start","cat":"c","ph":"f","bp":"e","ts":5,"id":1,"pid":1,"tid":1}`,
	} {
		t.Run(want, func(t *testing.T) {
			assert.Contains(t, fmt.Sprint(breaches(t, []byte(`{"traceEvents":[`+events+`]}`))), want)
		})
	}
}

// breaches are the rules that a trace breaks: those by which Perfetto's importer drops an
// event, or shows it somewhere else, without a word.
func breaches(t *testing.T, trace []byte) (all []string) {
	t.Helper()
	var doc struct {
		Events []struct {
			Name, Cat, Ph, BP, S string
			TS                   int64
			Dur                  *int64
			PID, TID, ID         int
			Args                 map[string]any
		} `json:"traceEvents"`
	}
	require.NoError(t, json.Unmarshal(trace, &doc))
	require.NotEmpty(t, doc.Events)
	breach := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	type span struct{ from, to int64 }
	const never = 1 << 62
	slices1, threads, names := map[int][]span{}, map[int]string{}, map[int]int{}
	type end struct {
		tid int
		at  int64
	}
	type flow struct{ from, to []end }
	flows := map[string]*flow{}
	for _, e := range doc.Events {
		if e.TS < 0 || e.Dur != nil && *e.Dur < 0 {
			breach("%s: a negative time", e.Name)
		}
		if of, known := names[e.TID]; known && of != e.PID {
			breach("thread %d: is of two processes", e.TID)
		}
		names[e.TID] = e.PID
		key := fmt.Sprint(e.Cat, e.Name, e.ID)
		switch e.Ph {
		case "M":
			name, _ := e.Args["name"].(string)
			if e.Name == "thread_name" {
				if was, known := threads[e.TID]; known && was != name {
					breach("thread %d: two names", e.TID)
				}
				threads[e.TID] = name
			}
		case "X":
			if e.Dur == nil {
				breach("%s: no duration", e.Name)
				continue
			}
			slices1[e.TID] = append(slices1[e.TID], span{e.TS, e.TS + *e.Dur})
		case "B":
			slices1[e.TID] = append(slices1[e.TID], span{e.TS, never})
		case "i":
			if !slices.Contains([]string{"t", "p", "g"}, e.S) {
				breach("%s: no scope", e.Name)
			}
		case "s", "f":
			if flows[key] == nil {
				flows[key] = &flow{}
			}
			if e.Ph == "s" {
				flows[key].from = append(flows[key].from, end{e.TID, e.TS})
				break
			}
			if e.BP != "e" {
				breach("%s: no bp", e.Name)
			}
			flows[key].to = append(flows[key].to, end{e.TID, e.TS})
		default:
			breach("%s: unknown kind %q", e.Name, e.Ph)
		}
	}
	for tid, spans := range slices1 {
		slices.SortStableFunc(spans, func(a, b span) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(b.to, a.to)) })
		var open []span
		for _, s := range spans {
			for len(open) > 0 && open[len(open)-1].to <= s.from {
				open = open[:len(open)-1]
			}
			if len(open) > 0 && open[len(open)-1].to < s.to {
				breach("thread %d: a slice that is not inside the one around it: %v in %v", tid, s, open[len(open)-1])
			}
			open = append(open, s)
		}
	}
	for key, f := range flows {
		if len(f.from) != 1 || len(f.to) != 1 {
			breach("flow %s: one end is missing, or there are several", key)
			continue
		}
		if f.to[0].at < f.from[0].at {
			breach("flow %s: goes back in time", key)
		}
		for _, e := range []end{f.from[0], f.to[0]} {
			if !slices.ContainsFunc(slices1[e.tid], func(s span) bool { return s.from <= e.at && e.at <= s.to }) {
				breach("flow %s: no slice of thread %d at %d", key, e.tid, e.at)
			}
		}
	}
	return all
}
