// Flaw: the text ends with the last row.
// Why: The size from which processes pay can be read off the table.
//
// want wrong TestText
package gil

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"os/exec"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// A Row is one measured run.
type Row struct {
	Way     Way
	Workers int
	Units   int
	Outcome Outcome
	Speedup float64 // the time of the sequential run of as many units, divided by that of this run
}

// A Table is a series of measurements of one kind of work.
type Table struct {
	Task string
	Rows []Row
}

// Measure runs the work for each number of units: first in sequence, then by
// threads, goroutines and processes, each of them for each number of workers, all
// in the order given. A row is the fastest of a few runs: whatever else the machine
// does can only make a run slower. It is an error if two ways disagree about the
// result.
func Measure(ctx context.Context, task string, workers, units []int) (Table, error) {
	t := Table{Task: task}
	for _, n := range units {
		var base Outcome
		for _, way := range []Way{Sequential, Threads, Goroutines, Processes} {
			counts := workers
			if way == Sequential {
				counts = []int{1}
			}
			for _, w := range counts {
				out, err := fastest(ctx, way, Task{task, n}, w)
				if err != nil {
					return Table{}, fmt.Errorf("measure: %w", err)
				}
				if way == Sequential {
					base = out
				}
				if out.Sum != base.Sum {
					return Table{}, fmt.Errorf("measure: %d %v made %d of %d units; in sequence it was %d", w, way, out.Sum, n, base.Sum)
				}
				t.Rows = append(t.Rows, Row{way, w, n, out, ratio(base.Wall, out.Wall)})
			}
		}
	}
	return t, nil
}

func fastest(ctx context.Context, way Way, t Task, workers int) (best Outcome, err error) {
	for try := range 3 {
		out, err := Run(ctx, way, t, workers)
		if err != nil {
			return Outcome{}, err
		}
		if try == 0 || out.Wall < best.Wall {
			best = out
		}
	}
	return best, nil
}

func ratio(a, b time.Duration) float64 { return float64(a) / float64(max(b, 1)) }

// PaysOff returns the number of units from which on processes pay: the smallest
// one measured for which, as for all greater ones, processes were faster than the
// sequential run, with the number of workers that suits them best. It reports
// false if there is none.
func (t Table) PaysOff() (units int, ok bool) {
	best := map[int]float64{}
	for _, r := range t.Rows {
		if r.Way == Processes {
			best[r.Units] = max(best[r.Units], r.Speedup)
		}
	}
	for _, n := range slices.Backward(t.units()) {
		if best[n] <= 1 {
			break
		}
		units, ok = n, true
	}
	return units, ok
}

// Text writes the table: a line of headings, then a line for each row, then what
// PaysOff says.
func (t Table) Text(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "way\tworkers\tunits\ttime\tspeedup\tCPU here\tCPU in children\tstart\tmemory\tswitches\t")
	for _, r := range t.Rows {
		o := r.Outcome
		fmt.Fprintf(tw, "%v\t%d\t%d\t%s\t%.2f\t%s\t%s\t%s\t%.1f MiB\t%d\t\n", r.Way, r.Workers, r.Units,
			ms(o.Wall), r.Speedup, ms(o.CPU), ms(o.ChildCPU), ms(o.Startup), float64(o.Memory)/(1<<20), o.Switches)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	return nil
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d)/1e6) }

// A line of a chart is the speedup of one way, over the number of workers or over
// the number of units.
type line struct {
	way     Way
	at      []int
	speedup []float64
}

// A panel is one of the two drawings of a chart.
type panel struct {
	id, title string
	lines     []line
}

// panels returns the speedup by workers, at the greatest number of units of each
// way, and by units, at its greatest number of workers.
func (t Table) panels() []panel {
	byWorkers := panel{id: "by-workers", title: "speedup by workers"}
	byUnits := panel{id: "by-units", title: "speedup by units"}
	for way := Threads; way <= PythonProcesses; way++ {
		var mine Table
		workers := 0
		for _, r := range t.Rows {
			if r.Way == way {
				mine.Rows = append(mine.Rows, r)
				workers = max(workers, r.Workers)
			}
		}
		if len(mine.Rows) == 0 {
			continue
		}
		// They may have been measured in any order.
		slices.SortStableFunc(mine.Rows, func(a, b Row) int { return cmp.Or(a.Units-b.Units, a.Workers-b.Workers) })
		units := slices.Max(mine.units())
		w, u := line{way: way}, line{way: way}
		for _, r := range mine.Rows {
			if r.Units == units {
				w.at, w.speedup = append(w.at, r.Workers), append(w.speedup, r.Speedup)
			}
			if r.Workers == workers {
				u.at, u.speedup = append(u.at, r.Units), append(u.speedup, r.Speedup)
			}
		}
		byWorkers.lines, byUnits.lines = append(byWorkers.lines, w), append(byUnits.lines, u)
	}
	return []panel{byWorkers, byUnits}
}

// units returns the numbers of units, from small to great.
func (t Table) units() []int {
	var all []int
	for _, r := range t.Rows {
		all = append(all, r.Units)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Chart writes two charts: a line "speedup by workers", at the greatest number of
// units of each way, and a line "speedup by units", at its greatest number of
// workers. After each there is a line for each point: the way, the number of
// workers or units, a bar of one █ for each tenth of speedup, rounded, and the
// speedup with two decimals.
func (t Table) Chart(w io.Writer) error {
	var b bytes.Buffer
	for _, p := range t.panels() {
		fmt.Fprintln(&b, p.title)
		for _, l := range p.lines {
			for i, s := range l.speedup {
				fmt.Fprintf(&b, "  %-16v %8d  %s %.2f\n", l.way, l.at[i], strings.Repeat("█", int(math.Round(s*10))), s)
			}
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

// The measures of the drawing, in its own units.
const (
	width, height = 420, 320 // of a panel
	margin        = 60
)

var colours = [...]string{Threads: "#c0392b", Goroutines: "#2980b9", Processes: "#27ae60", PythonThreads: "#e59866", PythonProcesses: "#82c99d"}

// SVG writes the same two charts as a drawing: <g id="by-workers"> and
// <g id="by-units">, each with a <polyline data-way="processes" points="x,y …">
// for each way, from the smallest number of workers or units to the greatest. The
// drawing lies within its viewBox, and the task's name is in its <title>.
func (t Table) SVG(w io.Writer) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", 2*width, height)
	b.WriteString("<title>")
	if err := xml.EscapeText(&b, []byte(t.Task)); err != nil {
		return err
	}
	fmt.Fprintf(&b, "</title>\n<rect width=\"%d\" height=\"%d\" fill=\"white\"/>\n", 2*width, height)
	for i, p := range t.panels() {
		p.draw(&b, i*width)
	}
	b.WriteString("</svg>\n")
	_, err := w.Write(b.Bytes())
	return err
}

// draw draws a panel that begins at x = left.
func (p panel) draw(b *bytes.Buffer, left int) {
	var at []int
	top := 1.0
	for _, l := range p.lines {
		at = append(at, l.at...)
		top = max(top, slices.Max(l.speedup))
	}
	slices.Sort(at)
	at = slices.Compact(at)
	// The numbers of workers or units stand at equal distances: sizes grow tenfold.
	x := func(n int) float64 {
		i, _ := slices.BinarySearch(at, n)
		return float64(left) + margin + float64(i)*float64(width-2*margin)/float64(max(len(at)-1, 1))
	}
	y := func(speedup float64) float64 { return height - margin - speedup/top*(height-2*margin) }

	fmt.Fprintf(b, "<g id=%q>\n<text x=\"%d\" y=\"24\" font-weight=\"bold\">%s</text>\n", p.id, left+margin, p.title)
	for s := 0.0; s <= top; s += max(1, math.Round(top/5)) {
		fmt.Fprintf(b, `<line x1="%d" x2="%d" y1="%.1f" y2="%.1f" stroke="#ccc"/><text x="%d" y="%.1f" text-anchor="end">%g</text>`+"\n",
			left+margin, left+width-margin, y(s), y(s), left+margin-6, y(s)+4, s)
	}
	for _, n := range at {
		fmt.Fprintf(b, `<text x="%.1f" y="%d" text-anchor="middle">%d</text>`+"\n", x(n), height-margin+18, n)
	}
	for i, l := range p.lines {
		var points []string
		for j, n := range l.at {
			points = append(points, fmt.Sprintf("%.1f,%.1f", x(n), y(l.speedup[j])))
		}
		fmt.Fprintf(b, `<polyline data-way="%v" points="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n",
			l.way, strings.Join(points, " "), colours[l.way])
		fmt.Fprintf(b, `<text x="%d" y="%d" fill="%s">%v</text>`+"\n", left+margin+(i%3)*100, height-margin+38+i/3*14, colours[l.way], l.way)
	}
	b.WriteString("</g>\n")
}

// ErrNoPython says that there is no python3 to compare with.
var ErrNoPython = errors.New("python3 is not installed")

// Python runs Mix in Python, by its threading and by its multiprocessing, and
// returns the rows, for each number of units, and for each of the two ways, in the
// order of the numbers of workers. Their speedup is against Python's own
// sequential run. Without a python3 the error is ErrNoPython.
func Python(ctx context.Context, workers, units []int) ([]Row, error) {
	python, err := exec.LookPath("python3")
	if err != nil {
		return nil, ErrNoPython
	}
	input, err := json.Marshal(map[string][]int{"workers": workers, "units": units})
	if err != nil {
		return nil, err
	}
	out, err := exec.CommandContext(ctx, python, "-c", pythonProgram, string(input)).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w: %s", err, exit.Stderr)
		}
		return nil, fmt.Errorf("python3: %w", err)
	}
	var runs []struct {
		Way            string
		Workers, Units int
		Sum            uint64
		Seconds, Base  float64
	}
	if err := json.Unmarshal(out, &runs); err != nil {
		return nil, fmt.Errorf("read what python3 printed: %w", err)
	}
	var rows []Row
	for _, r := range runs {
		way := PythonThreads
		if r.Way == "multiprocessing" {
			way = PythonProcesses
		}
		wall := time.Duration(r.Seconds * 1e9)
		rows = append(rows, Row{way, r.Workers, r.Units, Outcome{Sum: r.Sum, Wall: wall}, r.Base / r.Seconds})
	}
	return rows, nil
}

// pythonProgram gets {"workers": […], "units": […]} as its argument, and prints a
// list of {"way": "threading" or "multiprocessing", "workers", "units", "sum",
// "seconds", "base"}, where base is the time of the sequential run.
const pythonProgram = `
import json, multiprocessing, sys, threading, time

def mix(i):
    x = i
    for _ in range(1000):
        x = (x * 1103515245 + 12345) & 0x7fffffff
    return x

def share(sums, w, workers, units):
    total = 0
    for i in range(w, units, workers):
        total += mix(i)
    sums[w] = total % 2**64

def run(kind, sums, workers, units):
    begin = time.perf_counter()
    all = [kind(target=share, args=(sums, w, workers, units)) for w in range(workers)]
    for one in all:
        one.start()
    for one in all:
        one.join()
    return time.perf_counter() - begin

class Here:
    def __init__(self, target, args):
        self.start = lambda: target(*args)

    def join(self):
        pass

fork = multiprocessing.get_context("fork")
wanted = json.loads(sys.argv[1])
rows = []
for units in wanted["units"]:
    base = min(run(Here, [0], 1, units) for _ in range(3))
    for way, kind in ("threading", threading.Thread), ("multiprocessing", fork.Process):
        for workers in wanted["workers"]:
            sums = fork.Array("Q", workers)
            seconds = min(run(kind, sums, workers, units) for _ in range(3))
            rows.append({"way": way, "workers": workers, "units": units, "sum": sum(sums) % 2**64, "seconds": seconds, "base": base})
print(json.dumps(rows))
`
