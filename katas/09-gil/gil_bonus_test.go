package gil_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	gil "prokata/katas/09-gil"
)

// Measure runs every way for every number of workers and units. With the variable
// CHART set to the path of a file, this test measures more, prints table and chart,
// and leaves the drawing there.
func TestMeasure(t *testing.T) {
	harness.Test(t)
	workers, units := []int{1, 2}, []int{10, 200}
	path := os.Getenv("CHART")
	if path != "" {
		workers, units = []int{1, 2, 4}, []int{1_000, 10_000, 100_000}
	}
	table, err := gil.Measure(context.Background(), "mix", workers, units)
	require.NoError(t, err, "Measure failed")
	assert.Equal(t, "mix", table.Task, "Measure named another task")

	type key struct {
		Way            gil.Way
		Workers, Units int
	}
	var want, got []key
	for _, n := range units {
		want = append(want, key{gil.Sequential, 1, n})
		for _, way := range parallel {
			for _, w := range workers {
				want = append(want, key{way, w, n})
			}
		}
	}
	base := map[int]float64{}
	for _, r := range table.Rows {
		got = append(got, key{r.Way, r.Workers, r.Units})
		out := r.Outcome
		if r.Way == gil.Sequential {
			base[r.Units] = float64(out.Wall)
		}
		assert.Equal(t, sumOf(r.Units), out.Sum, "%d %v made another sum of %d units", r.Workers, r.Way, r.Units)
		assert.InEpsilon(t, base[r.Units]/float64(out.Wall), r.Speedup, 1e-6, "the speedup of %d %v was not the sequential time divided by theirs", r.Workers, r.Way)
		if r.Way == gil.Processes {
			assert.Positive(t, out.Startup, "starting processes took no time")
			assert.Less(t, out.Startup, out.Wall, "starting processes took longer than all of the run")
			assert.Greater(t, out.Memory, int64(r.Workers)<<20, "%d processes needed less than a MiB each", r.Workers)
		} else {
			assert.Zero(t, out.Startup, "a run without processes took time to start them")
			assert.Zero(t, out.Memory, "a run without processes had memory in them")
		}
	}
	assert.Empty(t, cmp.Diff(want, got), "Measure had other rows (-want +got)")

	if path == "" {
		return
	}
	if rows, err := gil.Python(context.Background(), []int{1, 2, 4}, []int{30, 300, 3_000}); err == nil {
		table.Rows = append(table.Rows, rows...)
	}
	var b bytes.Buffer
	require.NoError(t, table.Text(&b), "Text failed")
	require.NoError(t, table.Chart(&b), "Chart failed")
	t.Log("\n" + b.String())
	b.Reset()
	require.NoError(t, table.SVG(&b), "SVG failed")
	require.NoError(t, os.WriteFile(path, b.Bytes(), 0o644), "WriteFile failed")
}

// A row is the fastest of a few runs: here all others are slower by far.
func TestFastestOfAFew(t *testing.T) {
	harness.Test(t)
	t.Setenv(testEnv, strconv.Itoa(os.Getpid()))
	for i, which := range []string{"first", "second"} {
		runs.Store(0)
		fastest.Store(int64(i))
		table, err := gil.Measure(context.Background(), "test-uneven", []int{1}, []int{1})
		require.NoError(t, err, "Measure failed")
		require.Len(t, table.Rows, 4, "Measure did not make a row for each of the four ways")
		assert.Greater(t, runs.Load(), int64(1), "Measure made one run for a row, which is not a few")
		assert.Less(t, table.Rows[0].Outcome.CPU, slowCPU, "the row was not the %s run, which was the fastest", which)
	}
}

// What cannot be measured is an error.
func TestMeasureFails(t *testing.T) {
	harness.Test(t)
	_, err := gil.Measure(context.Background(), "nobody's", []int{1}, []int{1})
	require.Error(t, err, "Measure measured work that is not registered")
	table, err := gil.Measure(context.Background(), "test-own", []int{1}, []int{2})
	require.Error(t, err, "processes had another result than all other ways, and Measure returned no error")
	assert.Empty(t, table.Rows, "Measure returned an error and rows")
	ctx, stop := context.WithCancel(context.Background())
	stop()
	_, err = gil.Measure(ctx, "mix", []int{1}, []int{1})
	assert.ErrorIs(t, err, context.Canceled, "Measure did not tell that its context had ended")
}

func row(way gil.Way, workers, units int, speedup float64) gil.Row {
	wall := time.Duration(float64(100*time.Millisecond) / speedup)
	return gil.Row{Way: way, Workers: workers, Units: units, Speedup: speedup, Outcome: gil.Outcome{Wall: wall}}
}

// sample is a table with all that the drawings have to show.
var sample = gil.Table{
	Task: "a<b & \"c\"",
	Rows: []gil.Row{
		row(gil.Sequential, 1, 10, 1), row(gil.Threads, 1, 10, 0.9), row(gil.Threads, 3, 10, 0.8),
		row(gil.Goroutines, 1, 10, 0.95), row(gil.Goroutines, 3, 10, 1.5),
		row(gil.Processes, 1, 10, 0.05), row(gil.Processes, 3, 10, 0.12),
		row(gil.Sequential, 1, 1000, 1), row(gil.Threads, 1, 1000, 0.99), row(gil.Threads, 3, 1000, 0.97),
		row(gil.Goroutines, 1, 1000, 1.02), row(gil.Goroutines, 3, 1000, 2.94),
		row(gil.Processes, 1, 1000, 0.93), row(gil.Processes, 3, 1000, 2.78),
		row(gil.PythonThreads, 1, 100, 0.98), row(gil.PythonThreads, 3, 100, 0.96),
		row(gil.PythonProcesses, 1, 100, 0.96), row(gil.PythonProcesses, 3, 100, 2.86),
	},
}

// A point is one of a drawing.
type point struct {
	Panel, Way string
	At         int
	Speedup    float64
}

// drawn is what the drawings of the sample have to show.
var drawn = []point{
	{"speedup by workers", "threads", 1, 0.99},
	{"speedup by workers", "threads", 3, 0.97},
	{"speedup by workers", "goroutines", 1, 1.02},
	{"speedup by workers", "goroutines", 3, 2.94},
	{"speedup by workers", "processes", 1, 0.93},
	{"speedup by workers", "processes", 3, 2.78},
	{"speedup by workers", "python threads", 1, 0.98},
	{"speedup by workers", "python threads", 3, 0.96},
	{"speedup by workers", "python processes", 1, 0.96},
	{"speedup by workers", "python processes", 3, 2.86},
	{"speedup by units", "threads", 10, 0.8},
	{"speedup by units", "threads", 1000, 0.97},
	{"speedup by units", "goroutines", 10, 1.5},
	{"speedup by units", "goroutines", 1000, 2.94},
	{"speedup by units", "processes", 10, 0.12},
	{"speedup by units", "processes", 1000, 2.78},
	{"speedup by units", "python threads", 100, 0.96},
	{"speedup by units", "python processes", 100, 2.86},
}

// Processes pay off from the smallest size on from which they are always faster.
func TestPaysOff(t *testing.T) {
	harness.Test(t)
	for _, c := range []struct {
		why   string
		rows  []gil.Row
		units int
		ok    bool
	}{
		{"with the number of workers that suits best", sample.Rows, 1000, true},
		{"nothing was measured", nil, 0, false},
		{"never faster", []gil.Row{row(gil.Processes, 2, 10, 0.5), row(gil.Processes, 2, 100, 1)}, 0, false},
		{"faster by chance in between", []gil.Row{
			row(gil.Processes, 2, 10, 1.1), row(gil.Processes, 2, 100, 0.9), row(gil.Processes, 2, 1000, 1.5), row(gil.Processes, 2, 10000, 1.9),
		}, 1000, true},
		{"measured from great to small", []gil.Row{
			row(gil.Processes, 2, 1000, 1.5), row(gil.Processes, 2, 100, 1.2), row(gil.Processes, 2, 10, 0.1),
		}, 100, true},
		{"only others were faster", []gil.Row{row(gil.Goroutines, 2, 10, 1.9), row(gil.Processes, 2, 10, 0.9)}, 0, false},
	} {
		units, ok := gil.Table{Rows: c.rows}.PaysOff()
		assert.Equal(t, c.ok, ok, c.why)
		assert.Equal(t, c.units, units, c.why)
	}
}

// errClogged is what a clogged writer says when there is no more room.
var errClogged = errors.New("no room")

// A clogged writer takes so many bytes, loses some, and then takes all.
type clogged struct {
	room    int
	cleared bool
}

func (c *clogged) Write(b []byte) (int, error) {
	if c.cleared || len(b) <= c.room {
		c.room -= len(b)
		return len(b), nil
	}
	c.cleared = true
	return c.room, errClogged
}

// written returns what write writes, and asserts that it tells of every writer that
// takes less.
func written(t *testing.T, write func(io.Writer) error) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, write(&b), "write failed")
	for room := range b.Len() {
		require.ErrorIs(t, write(&clogged{room: room}), errClogged, "the writer failed after %d of %d bytes, and nobody was told", room, b.Len())
	}
	require.NoError(t, write(&clogged{room: b.Len()}), "write failed")
	return b.String()
}

// The table as text: headings, a line for each row, and from where processes pay.
func TestText(t *testing.T) {
	harness.Test(t)
	table := sample
	table.Rows = slices.Clone(table.Rows)
	table.Rows[5].Outcome = gil.Outcome{
		Wall: 2 * time.Second, Startup: 2_540 * time.Microsecond, CPU: 30_040 * time.Microsecond, ChildCPU: 1_900_360 * time.Microsecond,
		Memory: 7<<20 + 1<<19, Switches: 12,
	}
	text := written(t, table.Text)
	gap := regexp.MustCompile(`\s{2,}`)
	var got [][]string
	for line := range strings.Lines(strings.TrimRight(text, "\n")) {
		got = append(got, gap.Split(strings.TrimSpace(line), -1))
	}
	want := [][]string{{"way", "workers", "units", "time", "speedup", "CPU here", "CPU in children", "start", "memory", "switches"}}
	ms := func(d time.Duration) string { return strconv.FormatFloat(d.Seconds()*1e3, 'f', 1, 64) + " ms" }
	for _, r := range table.Rows {
		o := r.Outcome
		want = append(want, []string{
			r.Way.String(), strconv.Itoa(r.Workers), strconv.Itoa(r.Units), ms(o.Wall), strconv.FormatFloat(r.Speedup, 'f', 2, 64),
			ms(o.CPU), ms(o.ChildCPU), ms(o.Startup), strconv.FormatFloat(float64(o.Memory)/(1<<20), 'f', 1, 64) + " MiB", strconv.Itoa(o.Switches),
		})
	}
	require.Len(t, got, len(want)+1, "the text was not headings, %d rows, and a last line:\n%s", len(table.Rows), text)
	assert.Empty(t, cmp.Diff(want, got[:len(want)]), "the table had other cells (-want +got):\n%s", text)
	assert.Contains(t, text, "processes pay off from 1000 units", "the text did not say what PaysOff says")

	var b bytes.Buffer
	require.NoError(t, gil.Table{Task: "mix"}.Text(&b), "Text failed")
	assert.Contains(t, b.String(), "processes did not pay off", "the text did not say that processes did not pay off")
}

// The chart as text: a bar for each point, as long as its speedup is great.
func TestChart(t *testing.T) {
	harness.Test(t)
	text := written(t, sample.Chart)
	bar := regexp.MustCompile(`^ *([a-z ]*[a-z]) +(\d+) +(█*) *(\d+\.\d\d)$`)
	var got []point
	panel := ""
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		m := bar.FindStringSubmatch(line)
		if m == nil {
			panel = line
			continue
		}
		at, _ := strconv.Atoi(m[2])
		speedup, _ := strconv.ParseFloat(m[4], 64)
		assert.EqualValues(t, math.Round(speedup*10), utf8.RuneCountInString(m[3]), "the bar was not one █ for each tenth:\n%s", line)
		got = append(got, point{panel, m[1], at, speedup})
	}
	assert.Empty(t, cmp.Diff(drawn, got), "the chart had other bars (-want +got):\n%s", text)
}

// The same task by Python's own threads and processes.
func TestPython(t *testing.T) {
	harness.Test(t)
	rows, err := gil.Python(context.Background(), []int{1, 2}, []int{0, 50})
	if errors.Is(err, gil.ErrNoPython) {
		t.Skip("python3 is not installed here: there was nothing to compare with")
	}
	require.NoError(t, err, "Python failed")
	type key struct {
		Way            gil.Way
		Workers, Units int
		Sum            uint64
	}
	var want, got []key
	for _, units := range []int{0, 50} {
		for _, way := range []gil.Way{gil.PythonThreads, gil.PythonProcesses} {
			for _, workers := range []int{1, 2} {
				want = append(want, key{way, workers, units, sumOf(units)})
			}
		}
	}
	for _, r := range rows {
		got = append(got, key{r.Way, r.Workers, r.Units, r.Outcome.Sum})
		assert.Positive(t, r.Outcome.Wall, "a run of Python took no time")
		assert.Positive(t, r.Speedup, "a run of Python had no speedup")
	}
	assert.Empty(t, cmp.Diff(want, got), "Python had other rows (-want +got)")
}

// Without a python3 there is nothing to compare, and the error says so. What else
// goes wrong in it is another error.
func TestNoPython(t *testing.T) {
	harness.Test(t)
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	_, err := gil.Python(context.Background(), []int{1}, []int{1})
	require.ErrorIs(t, err, gil.ErrNoPython, "Python did not tell that there is no python3")

	python := func(script string) ([]gil.Row, error) {
		// The file takes the place of another at once: a process that was forked while it
		// was written must not keep it from being run.
		path := filepath.Join(dir, "new")
		require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o700), "WriteFile failed")
		require.NoError(t, os.Rename(path, filepath.Join(dir, "python3")), "Rename failed")
		return gil.Python(context.Background(), []int{2}, []int{5})
	}
	rows, err := python(`echo '[{"way":"threading","workers":2,"units":5,"sum":7,"seconds":0.5,"base":1.5},
		{"way":"multiprocessing","workers":2,"units":5,"sum":7,"seconds":0.25,"base":1.5}]'`)
	require.NoError(t, err, "Python failed")
	assert.Empty(t, cmp.Diff([]gil.Row{
		{Way: gil.PythonThreads, Workers: 2, Units: 5, Speedup: 3, Outcome: gil.Outcome{Sum: 7, Wall: time.Second / 2}},
		{Way: gil.PythonProcesses, Workers: 2, Units: 5, Speedup: 6, Outcome: gil.Outcome{Sum: 7, Wall: time.Second / 4}},
	}, rows), "of what python3 printed, other rows were made (-want +got)")

	_, err = python(`echo "too old" >&2; exit 3`)
	require.ErrorContains(t, err, "too old", "the error did not say what python3 had")
	assert.ErrorContains(t, err, "exit status 3", "the error did not say how python3 had ended")
	assert.NotErrorIs(t, err, gil.ErrNoPython, "Python said that there is no python3, but there was one that failed")
	_, err = python(`echo '[{"way"'`)
	require.Error(t, err, "python3 printed no list, and Python returned rows")
	assert.NotErrorIs(t, err, gil.ErrNoPython, "Python said that there is no python3, but there was one that failed")
}
