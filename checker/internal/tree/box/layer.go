package box

import (
	"fmt"
	"slices"
	"strings"

	"prokata/checker/internal/evidence"
)

// The layers of a sandbox, by the names under which they are reported.
const (
	Namespaces = "namespaces"
	Root       = "private root"
	Proc       = "own /proc"
	Loopback   = "loopback"
	Limited    = "resource limits"
	NoCaps     = "no capabilities"
	NoPrivs    = "no new privileges"
	Seccomp    = "seccomp"
	UserID     = "another user"
	Landlock   = "Landlock"
	Scopes     = "Landlock scopes"
	Memory     = "memory group"
	Tasks      = "process group"
)

// Single namespaces: a test leaves one out to see what it holds off. Nothing else does.
const (
	pidNamespace     = "PID namespace"
	networkNamespace = "network namespace"
	ipcNamespace     = "IPC namespace"
)

// The tiers: what untrusted code is run in, the best first.
const (
	Full   = "full"   // every layer
	Strong = "strong" // all that is needed so that code under test reaches nothing but itself
	None   = "none"
)

// A layer says what a layer is for, and how a person gets it.
type layer struct {
	name   string
	strong bool // the tier Strong needs it
	get    string
}

const userns = "run the checker as root, or allow user namespaces (sysctl -w user.max_user_namespaces=15000; on Ubuntu also sysctl -w kernel.apparmor_restrict_unprivileged_userns=0; in Docker: --security-opt seccomp=unconfined --security-opt apparmor=unconfined)"

var layers = []layer{
	{Namespaces, true, userns},
	{Root, true, "allow mount(2) to the checker: run it as root, or outside of the container (in Docker: --security-opt seccomp=unconfined --security-opt apparmor=unconfined)"},
	{Proc, true, "let /proc be whole: run the checker outside of the container (in Docker: --security-opt systempaths=unconfined)"},
	{Loopback, true, userns},
	{Limited, true, "let the checker lower its limits: setrlimit(2)"},
	{NoCaps, true, "run a kernel of 4.3 or later"},
	{NoPrivs, true, "run a kernel of 3.5 or later"},
	{Seccomp, true, "run a kernel with CONFIG_SECCOMP_FILTER, where nobody forbids seccomp(2)"},
	{UserID, false, "run the checker as root, or give the user a range of subordinate IDs (apt install uidmap; usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER); where Landlock keeps signals in, from Linux 6.12 on, it is no more than a second wall"},
	{Landlock, false, "run a kernel of 5.13 or later with landlock among its security modules (boot with lsm=landlock,…)"},
	{Scopes, false, "run a kernel of 6.12 or later with Landlock"},
	{Memory, false, "run the checker as root where the memory controller of control groups can be written"},
	{Tasks, false, "run the checker as root where the pids controller of control groups can be written"},
}

// notTried is why a layer is not there that stands on another which is not.
const notTried = "not tried: a layer below it is missing"

// tier is the best one that the layers make up, and the first that is missing for the
// next better one: of several, one that is missing for a reason of its own.
func tier(found []evidence.Layer) (name, missing string) {
	for _, l := range layers {
		if l.strong && slices.ContainsFunc(found, func(f evidence.Layer) bool { return f.Name == l.name && !f.OK && f.Why != notTried }) {
			return None, l.name
		}
	}
	has := func(name string) bool {
		return slices.ContainsFunc(found, func(l evidence.Layer) bool { return l.Name == name && l.OK })
	}
	for _, l := range layers {
		if l.strong && !has(l.name) {
			return None, l.name
		}
	}
	// The supervisor must be out of reach of what it watches.
	if !has(UserID) && !has(Scopes) {
		return None, UserID
	}
	for _, l := range layers {
		if !has(l.name) {
			return Strong, l.name
		}
	}
	return Full, ""
}

// ErrTooWeak says which layer is missing where untrusted code is to run.
type ErrTooWeak struct{ Layer evidence.Layer }

func (e ErrTooWeak) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "untrusted code is not run here: the sandbox lacks a layer that it needs: %s", e.Layer.Name)
	if e.Layer.Why != "" {
		fmt.Fprintf(&b, " (%s)", e.Layer.Why)
	}
	fmt.Fprintf(&b, "\n    to get it: %s\n    or, for code that you trust: --trust", How(e.Layer.Name))
	return b.String()
}

// How says how a person gets a layer.
func How(name string) string {
	i := slices.IndexFunc(layers, func(l layer) bool { return l.name == name })
	if i < 0 {
		return ""
	}
	return layers[i].get
}

// Enough returns nil if untrusted code may run in the sandbox.
func Enough(s evidence.Sandbox) error {
	if s.Tier != None {
		return nil
	}
	l := evidence.Layer{Name: s.Missing}
	if i := slices.IndexFunc(s.Layers, func(l evidence.Layer) bool { return l.Name == s.Missing }); i >= 0 {
		l = s.Layers[i]
	}
	return ErrTooWeak{l}
}
