// Command racy has a race between two goroutines that pass hooks before and
// after it, and ends with a panic.
package main

import (
	"io"
	"os"
	"sync"
)

func main() {
	var ready, done sync.WaitGroup
	n := 0
	ready.Add(1)
	for range 2 {
		done.Go(func() {
			ready.Wait()
			for range 50 {
				var local sync.Mutex
				local.Lock()
				r, w, err := os.Pipe()
				n++
				local.Unlock()
				if err == nil {
					io.Closer(r).Close()
					w.Close()
				}
			}
		})
	}
	ready.Done()
	done.Wait()
	panic("the end")
}
