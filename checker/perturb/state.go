//go:build unix

package perturb

import (
	"syscall"
	"unsafe"
)

// state is what the hooks remember. It lies in a private mapping: accesses and
// atomics outside of the Go heap order nothing for the race detector.
type state struct {
	hits    [sites]uint32 // passages of a site
	slept   int64         // nanoseconds, all delays together
	starts  uint32
	vain    int32          // waits for another process that did not come
	pending int32          // passages between Opening and Opened
	inside  [1 << 10]int32 // the same by site
	cost    int64          // descriptors and mappings looked at
	known   [1 << 12]uint64
	mapped  [1 << 10]uint64
}

var shared = &state{} // replaced before main when a hook is on

func init() {
	startPoints()
	startSites()
	if stream == 0 && record == "" {
		return
	}
	b, err := syscall.Mmap(-1, 0, int(unsafe.Sizeof(state{})), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		stream, record = 0, "" // without memory of their own the hooks stay off
		return
	}
	shared = (*state)(unsafe.Pointer(&b[0]))
}
