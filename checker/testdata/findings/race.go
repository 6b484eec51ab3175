package findings

import (
	"sync"
)

// RaceWrong lets two goroutines add to one variable.
func RaceWrong() int {
	var done sync.WaitGroup
	n := 0
	for range 2 {
		done.Go(func() { n++ })
	}
	done.Wait()
	return n
}

// RaceRight lets one at a time.
func RaceRight() int {
	var done sync.WaitGroup
	var mu sync.Mutex
	n := 0
	for range 2 {
		done.Go(func() {
			mu.Lock()
			defer mu.Unlock()
			n++
		})
	}
	done.Wait()
	return n
}
