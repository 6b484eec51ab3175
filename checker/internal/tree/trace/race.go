package trace

import (
	"errors"
	"fmt"
	"strings"

	"prokata/checker/internal/evidence"
)

// Races reads the reports of Go's race detector, as they stand in a file named
// by GORACE=log_path or among other output on standard error:
//
//	==================
//	WARNING: DATA RACE
//	Read at 0x00c000096038 by goroutine 8:
//	  main.(*counter).add()
//	      /src/main.go:13 +0x28
//
//	Previous write at 0x00c000096038 by main goroutine:
//	  main.main()
//	      /src/main.go:20 +0x7b
//
//	Goroutine 8 (running) created at:
//	  main.main()
//	      /src/main.go:20 +0x8a
//	==================
//
// The report does not say which process wrote it; the caller sets PID.
func Races(text string) ([]evidence.Race, error) {
	var races []evidence.Race
	var errs []error
	l := &lines{rest: text}
	for {
		line, ok := l.next()
		if !ok {
			return races, errors.Join(errs...)
		}
		if line != "WARNING: DATA RACE" {
			continue
		}
		race, err := readRace(l)
		if err != nil {
			errs = append(errs, fmt.Errorf("race report: line %d: %w", l.number, err))
		}
		if len(race.Accesses) > 0 {
			races = append(races, race)
		}
	}
}

var (
	// The detector prints atomic accesses in the same words as plain ones.
	accessLine = lazy(`^(?:Previous )?([Rr]ead|[Ww]rite) at 0x[0-9a-f]+ by (main goroutine|goroutine (\d+)):$`)
	// "finished" tells a goroutine that has ended, whose stack is still known.
	createdLine = lazy(`^Goroutine (\d+) \((?:running|finished)\) created at:$`)
)

// readRace reads one report, from behind its first line to its closing rule.
func readRace(l *lines) (evidence.Race, error) {
	var race evidence.Race
	by := map[string]int{} // goroutine, as printed, to its access
	for {
		line, ok := l.next()
		if !ok {
			return race, errors.New("the report breaks off")
		}
		if strings.HasPrefix(line, "====") {
			if len(race.Accesses) != 2 {
				return race, fmt.Errorf("%d accesses, want 2", len(race.Accesses))
			}
			return race, nil
		}
		if line == "" {
			continue
		}
		if m := accessLine().FindStringSubmatch(line); m != nil {
			frames, err := raceFrames(l)
			by[m[3]] = len(race.Accesses)
			race.Accesses = append(race.Accesses, evidence.Access{Op: op(strings.ToLower(m[1]), frames), Frames: frames})
			if err != nil {
				return race, err
			}
			continue
		}
		if m := createdLine().FindStringSubmatch(line); m != nil {
			frames, err := raceFrames(l)
			if i, ok := by[m[1]]; ok {
				race.Accesses[i].Created = frames
			}
			if err != nil {
				return race, err
			}
			continue
		}
		return race, fmt.Errorf("unknown line %q", line)
	}
}

// op names an access. That it was atomic shows in the innermost function alone.
func op(plain string, frames []evidence.Frame) string {
	if len(frames) > 0 && strings.HasPrefix(frames[0].Func, "sync/atomic.") {
		return "atomic " + plain
	}
	return plain
}

// raceFrames reads the frames of one stack. The detector forgets old stacks and
// says so in a frame's place:
//
//	[failed to restore the stack]
func raceFrames(l *lines) ([]evidence.Frame, error) {
	var frames []evidence.Frame
	for {
		call, ok := l.peek()
		if !ok || !strings.HasPrefix(call, "  ") {
			return frames, nil
		}
		l.next()
		if strings.HasPrefix(strings.TrimSpace(call), "[") {
			continue
		}
		where, _ := l.next()
		f, err := frame(call, where)
		if err != nil {
			return frames, err
		}
		frames = append(frames, f)
	}
}
