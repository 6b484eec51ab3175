//go:build linux

package observe

import (
	"net/netip"
	"reflect"
	"testing"

	"prokata/checker/internal/evidence"
)

func TestParse(t *testing.T) {
	// Each parser is given the line that stands above it, and nonsense.
	type result struct {
		value any
		ok    bool
	}
	rows := []struct {
		name string
		got  func() (any, bool)
		want result
	}{
		{"stat with a name that ends early", func() (any, bool) {
			s, err := parseStat([]byte("4312 (my) worker) S 4300 4300 4299 34816 4300 4194560 151 0 0 0 0 0 0 0 20 0 1 0 98713 5681152"))
			return s, err == nil
		}, result{stat{name: "my) worker", state: "S", parent: 4300, session: 4299, flags: 4194560, start: 98713, faults: 151}, true}},
		{"stat without a name", func() (any, bool) { s, err := parseStat([]byte("4312 S")); return s, err == nil }, result{stat{}, false}},
		{"a system call", func() (any, bool) {
			b, ok := parseBlocked([]byte("202 0xc000080148 0x80 0x0 0x0 0x0 0x0 0x7ffc4d0f1d58 0x46d0e3\n"))
			return b, ok
		}, result{blocked{nr: 202, args: [6]uint64{0xc000080148, 0x80}, sp: 0x7ffc4d0f1d58}, true}},
		{"asleep elsewhere", func() (any, bool) { b, ok := parseBlocked([]byte("-1 0x7ffc4d0f1d58 0x46d0e3\n")); return b, ok }, result{blocked{nr: -1}, true}},
		{"running", func() (any, bool) { b, ok := parseBlocked([]byte("running\n")); return b, ok }, result{blocked{running: true}, true}},
		{"half a system call", func() (any, bool) { b, ok := parseBlocked([]byte("202 0xc0")); return b.running, ok }, result{false, false}},
		{"usage", func() (any, bool) { u, ok := parseSchedstat([]byte("251046012 1184210 318\n")); return u, ok }, result{usage{251046012, 1184210, 318}, true}},
		{"usage that is not counted", func() (any, bool) { u, ok := parseSchedstat([]byte("0 0 0\n")); return u, ok }, result{usage{}, false}},
		{"a lock", func() (any, bool) {
			l, ok := parseLock([]byte("2: FLOCK  ADVISORY  WRITE 4312 fe:00:524307 0 EOF\n"))
			return l, ok
		}, result{evidence.Lock{Kind: "flock", File: "fe:00:524307", Write: true, PID: 4312}, true}},
		{"a wish", func() (any, bool) {
			l, ok := parseLock([]byte("2: -> OFDLCK ADVISORY  READ  -1 fe:00:524308 10 99\n"))
			return l, ok
		}, result{evidence.Lock{Kind: "ofd", File: "fe:00:524308", Start: 10, End: 99, PID: -1, Waiting: true}, true}},
		{"a lease", func() (any, bool) {
			_, ok := parseLock([]byte("4: LEASE  ACTIVE    READ  123 fe:00:1 0 EOF\n"))
			return nil, ok
		}, result{nil, false}},
		{"a TCP socket", func() (any, bool) {
			s, ok := parseTCP([]byte("  0: 0100007F:1F90 0100007F:D43A 01 00000010:00000020 04:00000014 00000000  1000        0 31337 1 0000000000000000 20 4 30 10 -1\n"))
			return s, ok
		}, result{tcpSocket{
			local: netip.MustParseAddrPort("127.0.0.1:8080"), remote: netip.MustParseAddrPort("127.0.0.1:54330"),
			state: stateEstablished, sending: 16, unread: 32, timer: timerProbe, ino: 31337,
		}, true}},
		{"a TCP socket of both families", func() (any, bool) {
			s, ok := parseTCP([]byte("  1: 0000000000000000FFFF00000100007F:1F90 00000000000000000000000001000000:0050 0A 00000000:00000000 00:00000000 00000000 0 0 7 1 0\n"))
			return s, ok
		}, result{tcpSocket{
			local: netip.MustParseAddrPort("127.0.0.1:8080"), remote: netip.MustParseAddrPort("[::1]:80"), state: stateListen, ino: 7,
		}, true}},
		{"the heading of the TCP sockets", func() (any, bool) {
			_, ok := parseTCP([]byte("  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"))
			return nil, ok
		}, result{nil, false}},
		{"a mapping with a space in its path", func() (any, bool) {
			m, ok := parseMapping([]byte("7f2c1a000000-7f2c1a001000 rw-s 00002000 00:19 1187                       /dev/shm/my words (deleted)\n"))
			return m, ok
		}, result{mapping{start: 0x7f2c1a000000, end: 0x7f2c1a001000, offset: 0x2000, shared: true, file: "00:19 1187", path: "/dev/shm/my words (deleted)"}, true}},
		{"a set", func() (any, bool) {
			return parseEpoll([]byte("pos:\t0\nflags:\t02000002\ntfd:        5 events: 8000201d data: 7f5d4c5c3ef80001  pos:0 ino:4f3 sdev:e\n")), true
		}, result{[]evidence.Member{{FD: 5}}, true}},
		{"a timer that is off", func() (any, bool) { return timerOff([]byte("it_value: (0, 0)\nit_interval: (0, 0)\n")), true }, result{true, true}},
		{"a timer that is on", func() (any, bool) { return timerOff([]byte("it_value: (0, 98417)\n")), true }, result{false, true}},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			value, ok := r.got()
			if ok != r.want.ok || ok && !reflect.DeepEqual(value, r.want.value) {
				t.Errorf("got %+v, %v, want %+v, %v", value, ok, r.want.value, r.want.ok)
			}
		})
	}
}
