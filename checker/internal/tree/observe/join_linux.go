package observe

import (
	"os"
	"slices"
	"strconv"
	"strings"

	"prokata/checker/internal/evidence"
)

// sockets says what the sockets of the tree are joined to, by network
// namespace.
func (l *look) sockets() {
	ours, _ := os.Readlink("/proc/" + strconv.Itoa(l.root) + "/ns/net")
	type space struct {
		unix    map[uint32]unixSocket
		tcp     []tcpSocket
		udp     []tcpSocket
		private bool
	}
	spaces := make(map[string]*space)
	for _, n := range l.list {
		for _, h := range n.Handles {
			x := l.objects[h.Object]
			if x == nil || x.Kind != "" || !strings.HasPrefix(x.ID, "socket:[") {
				continue
			}
			name, err := os.Readlink("/proc/" + strconv.Itoa(n.PID) + "/ns/net")
			if err != nil {
				continue
			}
			s := spaces[name]
			if s == nil {
				// What cannot be read leaves its sockets unknown, and whoever
				// waits for them alive.
				s = &space{private: l.in.Own || ours != "" && name != ours}
				s.unix, _ = unixSockets(n.PID)
				s.tcp, _ = inetSockets(n.PID, "tcp")
				s.udp, _ = inetSockets(n.PID, "udp")
				spaces[name] = s
			}
			ino, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimPrefix(x.ID, "socket:["), "]"), 10, 64)
			if err != nil {
				continue
			}
			if u, ok := s.unix[uint32(ino)]; ok {
				joinUnix(x, u, s.unix)
				if x.Kind == "listener" || x.Kind == "datagram" {
					x.Stranger = l.socketOutside(n, u, s.private)
				}
				continue
			}
			if at := slices.IndexFunc(s.udp, func(u tcpSocket) bool { return u.ino == ino }); at >= 0 {
				x.Kind, x.Name, x.Stranger = "udp", s.udp[at].local.String(), !s.private
				if backlog() {
					x.Doubt = "data may be under way"
				}
				continue
			}
			joinTCP(x, ino, s.tcp, s.private, n.PID, h.FD)
		}
	}
	l.peers()
}

// peers adds the other ends that only processes outside hold, so that those
// are looked for too.
func (l *look) peers() {
	for _, x := range l.objects {
		for _, id := range x.Peers {
			if l.objects[id] == nil {
				l.objects[id] = &evidence.Object{ID: id, Kind: "peer"}
			}
		}
	}
}

func socketID(ino uint64) string { return "socket:[" + strconv.FormatUint(ino, 10) + "]" }

func joinUnix(x *evidence.Object, s unixSocket, all map[uint32]unixSocket) {
	x.Kind, x.Name = "unix", s.name
	switch {
	case s.listen:
		x.Kind = "listener"
	case !s.stream:
		x.Kind = "datagram"
		if s.to != 0 {
			x.Peers = []string{socketID(uint64(s.to))}
		}
		for _, other := range all {
			if other.to == s.ino && other.ino != s.ino && other.ino != s.to {
				x.Peers = append(x.Peers, socketID(uint64(other.ino)))
			}
		}
	case !s.hasTo:
		x.Doubt = "it is not connected"
	case s.to != 0:
		x.Peers = []string{socketID(uint64(s.to))}
		if x.Name == "" {
			x.Name = all[s.to].name
		}
	default:
		// Nobody holds the other end: it was closed, or nobody has accepted
		// the connection yet.
		for _, l := range all {
			for _, client := range l.queue {
				if client == s.ino {
					x.Peers = []string{socketID(uint64(l.ino))}
					x.Name = l.name
				}
			}
		}
	}
}

func joinTCP(x *evidence.Object, ino uint64, all []tcpSocket, private bool, pid, fd int) {
	var s tcpSocket
	for _, other := range all {
		if other.ino == ino {
			s = other
		}
	}
	if s.ino == 0 {
		// A connection that the other side has reset is in no list.
		if info, err := tcpInfo(pid, fd); err == nil && info.State == tcpClose {
			x.Kind, x.Name = "tcp", "a connection that is closed"
		}
		return
	}
	if s.state == stateListen {
		x.Kind, x.Name = "listener", s.local.String()
		x.Stranger = !private
		return
	}
	x.Kind, x.Name = "tcp", s.local.String()+" to "+s.remote.String()
	var peer *tcpSocket
	for i, other := range all {
		if other.local == s.remote && other.remote == s.local && other.ino != s.ino {
			peer = &all[i]
		}
	}
	moving := func(t *tcpSocket) bool { return t.timer == timerRetransmit || t.timer == timerTimeWait }
	switch {
	case s.state != stateEstablished && s.state != tcpFinWait2 && s.state != tcpCloseWait:
		x.Doubt = "it is being connected or closed"
	case moving(&s) || peer != nil && moving(peer):
		x.Doubt = "data is under way"
	case s.state == tcpCloseWait && (peer == nil || peer.ino == 0) && s.sending == 0:
		// The other side is gone, and that was told.
	case peer == nil:
		x.Doubt = "its other end is not on this machine"
	case peer.ino != 0:
		x.Peers = []string{socketID(peer.ino)}
	case peer.state == stateEstablished:
		// Nobody has accepted it yet.
		for _, l := range all {
			if l.state == stateListen && l.ino != 0 && l.local.Port() == peer.local.Port() &&
				(l.local.Addr() == peer.local.Addr() || l.local.Addr().IsUnspecified()) {
				x.Peers = append(x.Peers, socketID(l.ino))
			}
		}
		if len(x.Peers) == 0 {
			x.Doubt = "nobody holds its other end yet"
		}
	default:
		x.Doubt = "it is being closed"
	}
	// A sender whose receiver is full asks again and again whether there is
	// room, and gets rid of a part if there is some. With no room at all, only
	// the receiver can end the wait.
	if x.Doubt == "" && s.timer == timerProbe {
		if info, err := tcpInfo(pid, fd); err != nil || info.Snd_wnd != 0 || peer == nil || peer.unread == 0 {
			x.Doubt = "data is under way"
		}
	}
}
