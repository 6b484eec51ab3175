package gil_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"os"
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
	require.NoError(t, err)
	assert.Equal(t, "mix", table.Task)

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
			assert.Zero(t, out.Startup)
			assert.Zero(t, out.Memory)
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
	require.NoError(t, table.Text(&b))
	require.NoError(t, table.Chart(&b))
	t.Log("\n" + b.String())
	b.Reset()
	require.NoError(t, table.SVG(&b))
	require.NoError(t, os.WriteFile(path, b.Bytes(), 0o644))
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

// The table as text: headings, a line for each row, and from where processes pay.
func TestText(t *testing.T) {
	harness.Test(t)
	table := sample
	table.Rows = slices.Clone(table.Rows)
	table.Rows[5].Outcome.Memory = 7 << 20
	var b bytes.Buffer
	require.NoError(t, table.Text(&b))
	lines := strings.Split(strings.TrimRight(b.String(), "\n"), "\n")
	require.Len(t, lines, len(table.Rows)+2, "the text was not headings, %d rows, and a last line:\n%s", len(table.Rows), b.String())
	for _, heading := range []string{"way", "workers", "units", "time", "speedup", "CPU", "start", "memory", "switches"} {
		assert.Contains(t, lines[0], heading)
	}
	for i, r := range table.Rows {
		line := lines[i+1]
		assert.Regexp(t, "^ *"+r.Way.String()+" ", line)
		for _, cell := range []string{strconv.Itoa(r.Workers), strconv.Itoa(r.Units), strconv.FormatFloat(r.Speedup, 'f', 2, 64)} {
			assert.Contains(t, strings.Fields(line), cell)
		}
	}
	assert.Contains(t, lines[6], "7.0 MiB")
	assert.Contains(t, lines[len(lines)-1], "processes pay off from 1000 units")

	b.Reset()
	require.NoError(t, gil.Table{Task: "mix"}.Text(&b))
	assert.Contains(t, b.String(), "processes did not pay off")
}

// The chart as text: a bar for each point, as long as its speedup is great.
func TestChart(t *testing.T) {
	harness.Test(t)
	var b bytes.Buffer
	require.NoError(t, sample.Chart(&b))
	bar := regexp.MustCompile(`^ *([a-z ]*[a-z]) +(\d+) +(█*) *(\d+\.\d\d)$`)
	var got []point
	panel := ""
	for line := range strings.Lines(b.String()) {
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
	assert.Empty(t, cmp.Diff(drawn, got), "the chart had other bars (-want +got):\n%s", b.String())
}

// The chart as a drawing: well-formed, two panels, a line for each way, higher for
// a greater speedup, and nothing outside of the picture.
func TestSVG(t *testing.T) {
	harness.Test(t)
	var b bytes.Buffer
	require.NoError(t, sample.SVG(&b))
	type polyline struct {
		Way    string `xml:"data-way,attr"`
		Points string `xml:"points,attr"`
	}
	var svg struct {
		XMLName xml.Name
		ViewBox string `xml:"viewBox,attr"`
		Title   string `xml:"title"`
		Panels  []struct {
			ID    string     `xml:"id,attr"`
			Lines []polyline `xml:"polyline"`
		} `xml:"g"`
	}
	d := xml.NewDecoder(bytes.NewReader(b.Bytes()))
	require.NoError(t, d.Decode(&svg), "the drawing was not XML")
	_, err := d.Token()
	for err == nil {
		_, err = d.Token()
	}
	require.ErrorIs(t, err, io.EOF)
	assert.Equal(t, xml.Name{Space: "http://www.w3.org/2000/svg", Local: "svg"}, svg.XMLName)
	assert.Equal(t, sample.Task, svg.Title, "the title was not the name of the task")
	var box []float64
	for _, f := range strings.Fields(svg.ViewBox) {
		v, err := strconv.ParseFloat(f, 64)
		require.NoError(t, err)
		box = append(box, v)
	}
	require.Len(t, box, 4, "the viewBox was not four numbers")

	ids := map[string]string{"by-workers": "speedup by workers", "by-units": "speedup by units"}
	require.Len(t, svg.Panels, 2, "there were not two panels")
	rest := drawn
	for _, panel := range svg.Panels {
		heights := map[float64]float64{} // speedup to y
		for _, line := range panel.Lines {
			lastX := math.Inf(-1)
			for p := range strings.FieldsSeq(line.Points) {
				xs, ys, _ := strings.Cut(p, ",")
				x, errX := strconv.ParseFloat(xs, 64)
				y, errY := strconv.ParseFloat(ys, 64)
				require.NoError(t, errors.Join(errX, errY))
				require.NotEmpty(t, rest, "the drawing had more points")
				want := rest[0]
				rest = rest[1:]
				assert.Equal(t, want.Panel, ids[panel.ID])
				assert.Equal(t, want.Way, line.Way)
				assert.Greater(t, x, lastX, "%s did not go from left to right", want.Way)
				assert.True(t, x >= box[0] && x <= box[0]+box[2] && y >= box[1] && y <= box[1]+box[3], "%s left the picture at %s", want.Way, p)
				for s, other := range heights {
					if want.Speedup > s+0.1 {
						assert.Less(t, y, other, "a speedup of %.2f was drawn below one of %.2f", want.Speedup, s)
					}
				}
				lastX, heights[want.Speedup] = x, y
			}
		}
	}
	assert.Empty(t, rest, "these points were not drawn")
}

// The same task by Python's own threads and processes.
func TestPython(t *testing.T) {
	harness.Test(t)
	rows, err := gil.Python(context.Background(), []int{1, 2}, []int{0, 50})
	if errors.Is(err, gil.ErrNoPython) {
		t.Skip("python3 is not installed here: there was nothing to compare with")
	}
	require.NoError(t, err)
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
		assert.Positive(t, r.Outcome.Wall)
		assert.Positive(t, r.Speedup)
	}
	assert.Empty(t, cmp.Diff(want, got), "Python had other rows (-want +got)")
}

// Without a python3 there is nothing to compare, and the error says so.
func TestNoPython(t *testing.T) {
	harness.Test(t)
	t.Setenv("PATH", t.TempDir())
	_, err := gil.Python(context.Background(), []int{1}, []int{1})
	assert.ErrorIs(t, err, gil.ErrNoPython)
}
