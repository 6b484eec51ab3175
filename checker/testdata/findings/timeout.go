package findings

import "time"

// TimeoutWrong looks now and then whether it may go on, and nobody will ever say so.
func TimeoutWrong() {
	done := false
	for !done {
		time.Sleep(100 * time.Millisecond)
	}
}

// TimeoutRight is told.
func TimeoutRight() {
	done := make(chan struct{})
	go func() {
		defer close(done) // on every path
		time.Sleep(time.Millisecond)
	}()
	<-done
}
