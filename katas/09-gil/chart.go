package gil

import (
	"context"
	"errors"
	"io"

	"prokata/checker/todo"
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
	// TODO: run the work in all ways
	return Table{}, todo.Err("gil: Measure")
}

// PaysOff returns the number of units from which on processes pay: the smallest
// one measured for which, as for all greater ones, processes were faster than the
// sequential run, with the number of workers that suits them best. It reports
// false if there is none.
func (t Table) PaysOff() (units int, ok bool) {
	// TODO: find the size
	todo.Err("gil: PaysOff")
	return 0, false
}

// Text writes the table: a line with the headings way, workers, units, time,
// speedup, CPU here, CPU in children, start, memory and switches; a line for each
// row; and what PaysOff says. Two blanks or more stand between columns; times are
// in milliseconds and memory in MiB, with one decimal, the speedup with two.
func (t Table) Text(w io.Writer) error {
	// TODO: write the table
	return todo.Err("gil: Text")
}

// Chart writes two charts: a line "speedup by workers", at the greatest number of
// units of each way, and a line "speedup by units", at its greatest number of
// workers. After each there is a line for each point: the way, the number of
// workers or units, a bar of one █ for each tenth of speedup, rounded, and the
// speedup with two decimals.
func (t Table) Chart(w io.Writer) error {
	// TODO: write the bars
	return todo.Err("gil: Chart")
}

// SVG writes the same two charts as a drawing: <g id="by-workers"> and
// <g id="by-units">, side by side, each with a
// <polyline data-way="processes" points="x,y …" stroke="…"> for each way, from the
// smallest number of workers or units to the greatest. These numbers stand at equal
// distances, each as a <text> below its points. Height is in proportion to the
// speedup: a <line x1="…" x2="…" y1="…" y2="…"> marks each whole one from 0 to the
// greatest (of a great many, some), as wide as the polylines can be, with the number
// as a <text> on its left. A way has a colour, the same in both charts, in which a
// <text fill="…"> says its name. All lies within the viewBox, no two texts stand in
// one place, and the task's name is in the <title>.
func (t Table) SVG(w io.Writer) error {
	// TODO: draw the lines
	return todo.Err("gil: SVG")
}

// ErrNoPython says that there is no python3 to compare with.
var ErrNoPython = errors.New("python3 is not installed")

// Python runs Mix in Python, by its threading and by its multiprocessing, and
// returns the rows, for each number of units, and for each of the two ways, in the
// order of the numbers of workers. Their speedup is against Python's own
// sequential run. Without a python3 the error is ErrNoPython.
func Python(ctx context.Context, workers, units []int) ([]Row, error) {
	// TODO: run pythonProgram, and read what it prints
	return nil, todo.Err("gil: Python")
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
