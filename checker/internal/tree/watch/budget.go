package watch

import (
	"sync/atomic"
	"time"
)

// Watching costs time, and under a lock it costs the time of everybody who
// waits for it. So all processes of a table share two budgets, one for glances and
// one for patient watches: an allowance that lets a short program be watched closely,
// then a share of the time that goes by.
type budget struct {
	// paid is the time up to which the share has been spent (the generic cell
	// rate algorithm).
	paid atomic.Int64
}

const (
	allowance = 6 * time.Millisecond
	share     = 5 // one part in share of the time
	// patience may cost more: it is mostly time in which the others run.
	patientAllowance = 2 * allowance
)

// afford takes cost from the budget, if more than reserve is there.
func (b *budget) afford(now int64, cost, reserve, allowance time.Duration) bool {
	for {
		paid := b.paid.Load()
		from := max(paid, now)
		if from-now > int64(allowance-reserve)*share {
			return false
		}
		if b.paid.CompareAndSwap(paid, from+int64(cost)*share) {
			return true
		}
	}
}

// charge takes what a watch cost beyond what it had paid for: with more
// processes than processors, a sleep may end late. A stopped process is
// not charged for all of its rest.
func (b *budget) charge(more time.Duration) {
	b.paid.Add(int64(min(more, maxCharge)) * share)
}

const maxCharge = 15 * time.Millisecond
