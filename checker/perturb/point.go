package perturb

import (
	"hash/fnv"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// SeedEnv names the environment variable that turns the delays on. It holds the
// seed of the check as a decimal, and behind it the process's place in the tree,
// as Starting makes it: "42", "42/1", "42/1/3".
const SeedEnv = "PROKATA_PERTURB"

// The figures with which four known races were found in the fewest runs: a
// delay at every fourth hook, up to half a millisecond. A loop that passes a
// site very often is delayed less and less, and the delays of a process
// together stay below a bound, so that no test runs into its time limit.
const (
	one      = 4                      // of so many hooks one delays
	longest  = 500 * time.Microsecond // a delay
	often    = 128                    // hits of a site, after which it delays less
	allowed  = 300 * time.Millisecond // all delays of a process together
	least    = time.Millisecond       // what the runtime's poller makes of a shorter sleep
	sites    = 1 << 12
	slotMask = sites - 1
)

// seed is that of the check, and stream this process's own random stream; 0 turns
// the delays off. They are set once, before main, and only read after that.
var seed, stream uint64

func startPoints() {
	value := os.Getenv(SeedEnv)
	text, _, _ := strings.Cut(value, "/")
	var err error
	if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
		return
	}
	h := fnv.New64a()
	h.Write([]byte(value))
	for _, arg := range os.Args[:1] { // the entry's name; later arguments may hold a PID or a temp folder
		h.Write([]byte{0})
		h.Write([]byte(arg))
	}
	stream = h.Sum64() | 1
}

// Point is the place before a statement that synchronises. There a process may wait
// for a sibling (meet), and then be late. The n-th passage of
// a site delays by a function of the stream, the site and n alone, so that a
// seed replays as far as the kernel's own scheduling lets it.
func Point(site uint32) {
	if stream == 0 {
		return
	}
	n := uint64(atomic.AddUint32(&shared.hits[site&slotMask], 1))
	meet(site, uint32(n))
	x := mix(stream ^ mix(uint64(site)<<32|n))
	rarity := uint64(one)
	if n > often {
		rarity = one * n / often
	}
	if x%rarity != 0 {
		return
	}
	d := time.Duration(mix(x) % uint64(longest))
	if atomic.AddInt64(&shared.slept, int64(max(d, least))) > int64(allowed) {
		return
	}
	time.Sleep(d)
}

// After is Point behind a value that is part of a larger expression.
func After[T any](v T, site uint32) T {
	Point(site)
	return v
}

// Starting is the place before a statement that starts a child. It numbers the
// child, so that equal siblings get streams of their own: the start order is
// the same in every run, a process ID is not.
func Starting() {
	if stream == 0 {
		return
	}
	n := atomic.AddUint32(&shared.starts, 1)
	// Like the start of the child itself, this synchronises through the lock
	// of the environment: it hides no race that the start would not hide.
	os.Setenv(SeedEnv, place+"/"+strconv.FormatUint(uint64(n), 10))
}

// place is this process's own value of SeedEnv.
var place = os.Getenv(SeedEnv)

// mix is the finalizer of SplitMix64: every bit of x decides on every bit of
// the result.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
