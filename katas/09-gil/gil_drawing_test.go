package gil_test

import (
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/harness"
	gil "prokata/katas/09-gil"
)

// An element is one of a drawing.
type element struct {
	XMLName xml.Name
	Attrs   []xml.Attr `xml:",any,attr"`
	Text    string     `xml:",chardata"`
	Kids    []element  `xml:",any"`
}

func (e element) attr(name string) string {
	for _, a := range e.Attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func (e element) number(t *testing.T, name string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(e.attr(name), 64)
	require.NoError(t, err, "%s of a <%s>", name, e.XMLName.Local)
	return v
}

func (e element) all(kind string) (found []element) {
	for _, kid := range e.Kids {
		if kid.XMLName.Local == kind {
			found = append(found, kid)
		}
		found = append(found, kid.all(kind)...)
	}
	return found
}

// A spot is a place in a drawing.
type spot struct{ x, y float64 }

func spots(t *testing.T, points string) (all []spot) {
	t.Helper()
	for p := range strings.FieldsSeq(points) {
		var s spot
		_, err := fmt.Sscanf(p, "%g,%g", &s.x, &s.y)
		require.NoError(t, err, "the points of a line were no pairs of numbers: %q", p)
		all = append(all, s)
	}
	return all
}

func draw(t *testing.T, table gil.Table) (svg element) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(written(t, table.SVG)))
	require.NoError(t, d.Decode(&svg), "the drawing was not XML")
	_, err := d.Token()
	for err == nil {
		_, err = d.Token()
	}
	require.ErrorIs(t, err, io.EOF, "the drawing was not well-formed XML to its end")
	require.Equal(t, xml.Name{Space: "http://www.w3.org/2000/svg", Local: "svg"}, svg.XMLName, "the drawing was no SVG")
	return svg
}

// The chart as a drawing: well-formed, two panels, a line for each way, as high as its
// speedup, and nothing outside of the picture.
func TestSVG(t *testing.T) {
	harness.Test(t)
	svg := draw(t, sample)
	titles := svg.all("title")
	require.Len(t, titles, 1, "the drawing did not have one title")
	assert.Equal(t, sample.Task, titles[0].Text, "the title was not the name of the task")
	ids := map[string]string{"by-workers": "speedup by workers", "by-units": "speedup by units"}
	panels := svg.all("g")
	require.Len(t, panels, 2, "there were not two panels")
	colours := map[string]string{}
	rest := drawn
	for _, panel := range panels {
		scale := newScale(t, panel)
		var xs []float64
		numbers := map[int]float64{} // of workers or units, to x
		for _, line := range panel.all("polyline") {
			way := line.attr("data-way")
			lastX := math.Inf(-1)
			for _, s := range spots(t, line.attr("points")) {
				require.NotEmpty(t, rest, "the drawing had more points")
				want := rest[0]
				rest = rest[1:]
				assert.Equal(t, want.Panel, ids[panel.attr("id")], "a point stood in the other panel, or the points came in another order")
				assert.Equal(t, want.Way, way, "a point stood on the line of another way, or the points came in another order")
				assert.Greater(t, s.x, lastX, "%s did not go from left to right", way)
				assert.InDelta(t, scale.y(want.Speedup), s.y, 0.3, "a speedup of %.2f was drawn as one of %.2f", want.Speedup, scale.speedup(s.y))
				if x, ok := numbers[want.At]; ok {
					assert.InDelta(t, x, s.x, 0.11, "%d stood in two places", want.At)
				}
				numbers[want.At], lastX = s.x, s.x
				xs = append(xs, s.x)
			}
			if known := colours[way]; known != "" {
				assert.Equal(t, known, line.attr("stroke"), "%s had two colours", way)
			}
			for other, colour := range colours {
				if other != way {
					assert.NotEqual(t, colour, line.attr("stroke"), "%s had the colour of %s", way, other)
				}
			}
			colours[way] = line.attr("stroke")
			assert.True(t, slices.ContainsFunc(panel.all("text"), func(e element) bool {
				return e.Text == way && e.attr("fill") == colours[way]
			}), "nothing said in its colour that a line was that of %s", way)
		}
		assert.Equal(t, []float64{0, 1, 2}, scale.marked, "other speedups were marked")
		scale.spans(t, slices.Min(xs), slices.Max(xs))
		for n, x := range numbers {
			assert.True(t, slices.ContainsFunc(panel.all("text"), func(e element) bool {
				return e.Text == strconv.Itoa(n) && math.Abs(e.number(t, "x")-x) < 0.11 && e.number(t, "y") > scale.y(0)
			}), "no number %d stood below its points", n)
		}
		slices.Sort(xs)
		xs = slices.Compact(xs)
		for i := 2; i < len(xs); i++ {
			assert.InDelta(t, xs[1]-xs[0], xs[i]-xs[i-1], 0.21, "the numbers did not stand at equal distances")
		}
	}
	assert.Empty(t, rest, "these points were not drawn")
	isTidy(t, svg)
}

// A drawing of little, and of much.
func TestSVGOfExtremes(t *testing.T) {
	harness.Test(t)
	for _, c := range []struct {
		what     string
		rows     []gil.Row
		speedups []float64 // of the points by workers; by units there are as many
		from, to int       // so many speedups are marked
	}{
		{"nothing", nil, nil, 2, 2},
		{"one point", []gil.Row{row(gil.Processes, 2, 10, 0.5)}, []float64{0.5}, 2, 2},
		{"measured from great to small", []gil.Row{
			row(gil.Processes, 4, 1000, 3.5), row(gil.Processes, 2, 1000, 1.8), row(gil.Processes, 4, 100, 2.5), row(gil.Processes, 2, 100, 1.5),
		}, []float64{1.8, 3.5}, 4, 4},
		{"a great speedup", []gil.Row{row(gil.Goroutines, 64, 10, 60), row(gil.Processes, 64, 10, 1.5)}, []float64{60, 1.5}, 3, 12},
	} {
		t.Run(c.what, func(t *testing.T) {
			svg := draw(t, gil.Table{Task: "mix", Rows: c.rows})
			for _, panel := range svg.all("g") {
				scale := newScale(t, panel)
				var got []spot
				for _, line := range panel.all("polyline") {
					got = append(got, spots(t, line.attr("points"))...)
				}
				require.Len(t, got, len(c.speedups), "the drawing had another number of points")
				for i, s := range got {
					if i > 0 && len(panel.all("polyline")) == 1 {
						assert.Greater(t, s.x, got[i-1].x, "the line did not go from left to right")
					}
					if panel.attr("id") == "by-workers" || len(got) < 2 {
						assert.InDelta(t, c.speedups[i], scale.speedup(s.y), 0.2, "a speedup was drawn as another one")
					}
				}
				assert.GreaterOrEqual(t, len(scale.marked), c.from, "speedups marked: %v", scale.marked)
				assert.LessOrEqual(t, len(scale.marked), c.to, "speedups marked: %v", scale.marked)
			}
			isTidy(t, svg)
		})
	}
}

// A scale is what the marked speedups of a panel say of its heights.
type scale struct {
	marked []float64
	lines  []element
	zero   float64 // its y
	one    float64
}

// newScale reads the lines of a panel, and the number on the left of each.
func newScale(t *testing.T, panel element) (s scale) {
	t.Helper()
	var ys []float64
	for _, line := range panel.all("line") {
		y := line.number(t, "y1")
		assert.Equal(t, y, line.number(t, "y2"), "a line that marks a speedup was not level")
		// The nearest text on its left, on whose height the line is.
		var label *element
		for _, e := range panel.all("text") {
			if e.number(t, "x") < line.number(t, "x1") && math.Abs(e.number(t, "y")-y) < 10 {
				label = &e
			}
		}
		require.NotNil(t, label, "no number stood on the left of the line at height %g", y)
		v, err := strconv.ParseFloat(label.Text, 64)
		require.NoError(t, err, "the number on the left of a line")
		s.marked, s.lines, ys = append(s.marked, v), append(s.lines, line), append(ys, y)
	}
	require.GreaterOrEqual(t, len(ys), 2, "fewer than two speedups were marked")
	require.Zero(t, s.marked[0], "the lowest line did not mark 0")
	s.zero, s.one = ys[0], ys[0]+(ys[len(ys)-1]-ys[0])/s.marked[len(ys)-1]
	require.Less(t, s.one, s.zero, "a greater speedup was not drawn higher")
	for i, y := range ys {
		assert.InDelta(t, s.y(s.marked[i]), y, 0.2, "the line of speedup %g was in another place", s.marked[i])
	}
	return s
}

func (s scale) y(speedup float64) float64 { return s.zero + speedup*(s.one-s.zero) }

func (s scale) speedup(y float64) float64 { return (y - s.zero) / (s.one - s.zero) }

// spans asserts that the lines are as wide as the points.
func (s scale) spans(t *testing.T, from, to float64) {
	t.Helper()
	for _, line := range s.lines {
		assert.InDelta(t, from, line.number(t, "x1"), 0.11, "a line did not begin where the points do")
		assert.InDelta(t, to, line.number(t, "x2"), 0.11, "a line did not end where the points do")
	}
}

// isTidy asserts that all lies within the viewBox and no two texts stand in one place.
func isTidy(t *testing.T, svg element) {
	t.Helper()
	var box [4]float64
	_, err := fmt.Sscan(svg.attr("viewBox"), &box[0], &box[1], &box[2], &box[3])
	require.NoError(t, err, "the viewBox was not four numbers")
	within := func(s spot) bool {
		return s.x >= box[0] && s.x <= box[0]+box[2] && s.y >= box[1] && s.y <= box[1]+box[3]
	}
	for _, line := range svg.all("polyline") {
		for _, s := range spots(t, line.attr("points")) {
			assert.True(t, within(s), "%s left the picture at %v", line.attr("data-way"), s)
		}
	}
	for _, line := range svg.all("line") {
		assert.True(t, within(spot{line.number(t, "x1"), line.number(t, "y1")}) && within(spot{line.number(t, "x2"), line.number(t, "y2")}), "a line left the picture")
	}
	texts := svg.all("text")
	for i, e := range texts {
		here := spot{e.number(t, "x"), e.number(t, "y")}
		assert.True(t, within(here), "%q stood outside of the picture", e.Text)
		for _, other := range texts[:i] {
			there := spot{other.number(t, "x"), other.number(t, "y")}
			assert.False(t, math.Abs(here.x-there.x) < 12 && math.Abs(here.y-there.y) < 10, "%q stood upon %q", e.Text, other.Text)
		}
	}
}
