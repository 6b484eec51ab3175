package perturb

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// TestMeet: who comes first waits until somebody comes, whoever it is.
func TestMeet(t *testing.T) {
	var spots table
	met := make(chan bool)
	go func() { met <- spots.meet(7, 1, time.Hour) }()
	for atomic.LoadUint64(&spots[7]) == 0 {
		runtime.Gosched()
	}
	if !spots.meet(7, 2, 0) || !<-met {
		t.Error("two were there and did not meet")
	}
	if spots[7] != 0 {
		t.Errorf("the spot is left as %#x, not free", spots[7])
	}
}

// TestNobodyComes: a wait in vain is counted, and after two the spot is passed.
func TestNobodyComes(t *testing.T) {
	var spots table
	for n := range vain {
		if spots.meet(7, 1, 0) {
			t.Errorf("wait %d: met nobody, says it met somebody", n)
		}
	}
	if !spots.meet(7, 1, time.Hour) { // would not return
		t.Error("waited where two had waited in vain")
	}
}

// TestKilledThere: one that was killed as it waited holds nobody up.
func TestKilledThere(t *testing.T) {
	spots := table{7: 4312<<8 | 1}
	if !spots.meet(7, 1, time.Hour) || spots[7] != 1 {
		t.Errorf("the spot is left as %#x, not as 1", spots[7])
	}
}
