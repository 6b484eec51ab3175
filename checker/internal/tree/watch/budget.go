package watch

import "time"

// Watching costs time, and under a lock it costs the time of everybody who
// waits for it. So all processes of a table share one budget: an allowance
// that lets a short program be watched closely, then a share of the time that
// goes by.
const (
	allowance = 6 * time.Millisecond
	share     = 5 // one part in share of the time
)

// afford takes cost from the budget, if it is there. paid is the time up to
// which the share has been spent (the generic cell rate algorithm).
func (t *Table) afford(now int64, cost time.Duration) bool {
	for {
		paid := t.paid.Load()
		from := max(paid, now)
		if from-now > int64(allowance)*share {
			return false
		}
		if t.paid.CompareAndSwap(paid, from+int64(cost)*share) {
			return true
		}
	}
}

// charge takes what a watch cost beyond what it had paid for: with more
// processes than processors, a sleep may end late. A stopped process is
// not charged for all of its rest.
func (t *Table) charge(more time.Duration) {
	if more > 0 {
		t.paid.Add(int64(min(more, maxCharge)) * share)
	}
}

const maxCharge = 5 * time.Millisecond
