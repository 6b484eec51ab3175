package policy

import (
	"go/ast"
	"go/token"
	"strings"
)

const (
	syscallPath = "syscall"
	unixPath    = "golang.org/x/sys/unix"
)

// use is what comes of using something.
type use struct {
	degree degree
	rule   string
	why    string
}

// uses are functions and variables of other packages that need a reason. "kernel."
// stands for syscall and unix alike, and a name that ends in "*" for all that
// begin so.
var uses = map[string]use{
	"runtime/debug.SetCrashOutput":  {always, "runtime", "the harness reads crashes from there"},
	"runtime/debug.SetTraceback":    {strict, "runtime", "the harness reads stacks"},
	"runtime/debug.SetMaxThreads":   {strict, "runtime", "it ends the whole process, the harness too"},
	"runtime/debug.SetPanicOnFault": {only, "runtime", "no kata needs it"},
	"runtime.RaceDisable":           {always, "runtime", "it blinds the race detector"},
	"runtime.RaceEnable":            {always, "runtime", "it is the other half of RaceDisable"},
	"runtime.Race*":                 {strict, "runtime", "it tells the race detector what is not so"},
	"flag.Set":                      {always, "flags", "the flags are those of the tests that run"},
	"flag.CommandLine":              {always, "flags", "the flags are those of the tests that run"},
	"os/signal.Reset":               {noted, "signal", "without arguments it also takes away the harness's signals"},

	"os.Clearenv":      {always, "environment", "the harness finds the children by what their environment says"},
	"kernel.Clearenv":  {always, "environment", "the harness finds the children by what their environment says"},
	"os.StartProcess":  {suspect, "process", "it starts a program"},
	"kernel.ForkExec":  {suspect, "process", "it starts a program"},
	"kernel.Exec":      {strict, "process", "it puts another program in this process's place"},
	"kernel.Ptrace*":   {always, "process", "it reaches into another process"},
	"kernel.Process*":  {always, "process", "it reaches into another process"},
	"kernel.PidfdGet*": {always, "process", "it takes a descriptor from another process"},
	"kernel.Kcmp":      {only, "process", "it looks into another process"},
	"kernel.Reboot":    {always, "system", "it is not about this program"},
	"kernel.Setns":     {only, "system", "it leaves the sandbox, or tries"},
	"kernel.Unshare":   {only, "system", "it leaves the sandbox, or tries"},
	"kernel.Chroot":    {only, "system", "no kata needs it"},
	"kernel.Mount*":    {only, "system", "no kata needs it"},
	"kernel.Unmount":   {only, "system", "no kata needs it"},
	"kernel.Pivot*":    {only, "system", "no kata needs it"},
	"kernel.Bpf*":      {only, "system", "no kata needs it"},
	"kernel.Perf*":     {only, "system", "no kata needs it"},
	"kernel.*Module":   {only, "system", "no kata needs it"},
	"kernel.Setuid":    {only, "system", "it changes who this process is"},
	"kernel.Setgid":    {only, "system", "it changes who this process is"},
	"kernel.Setre*":    {only, "system", "it changes who this process is"},
	"kernel.Setsid":    {suspect, "process", "it leaves its session, and with it whoever ends the session"},
	"kernel.Setrlimit": {noted, "system", "it changes the limits of this process and its children"},
	"kernel.Prlimit":   {noted, "system", "it changes the limits of a process"},

	"kernel.RawSyscall*": {only, "kernel", "a call by number says nothing of what it does; use the function of that name"},
	"kernel.Syscall*":    {only, "kernel", "a call by number says nothing of what it does; use the function of that name"},
	"kernel.CloseRange":  {strict, "kernel", "it closes what it has not opened, the harness's descriptors too"},

	"kernel.PR_SET_CHILD_SUBREAPER": {only, "kernel", "orphans must come to the supervisor, which is their subreaper"},
	"kernel.PR_SET_DUMPABLE":        {only, "kernel", "the supervisor could no longer look at this process"},
	"kernel.PR_SET_*":               {noted, "kernel", "it changes how the kernel treats this process"},
}

// fields of syscall.SysProcAttr that reach beyond a child.
var attributes = map[string]degree{
	"Cloneflags": only, "Unshareflags": only, "Ptrace": always, "Chroot": only, "Credential": only,
	"UidMappings": only, "GidMappings": only, "UseCgroupFD": only, "CgroupFD": only, "AmbientCaps": only,
	"Setsid": suspect, "Foreground": strict, "Setctty": strict,
}

// usesOf reports what a file uses of other packages, wherever it stands.
func (c *checker) usesOf(f *source) {
	var around []ast.Node
	ast.Inspect(f.file, func(n ast.Node) bool {
		if n == nil {
			around = around[:len(around)-1]
			return true
		}
		defer func() { around = append(around, n) }()
		switch n := n.(type) {
		case *ast.SelectorExpr:
			c.selector(f, n)
			c.use(f, n, around)
		case *ast.AssignStmt:
			for _, to := range n.Lhs {
				c.written(f, to)
			}
		case *ast.IncDecStmt:
			c.written(f, n.X)
		case *ast.UnaryExpr:
			if n.Op == token.AND {
				c.written(f, n.X)
			}
		case *ast.KeyValueExpr:
			if key, ok := n.Key.(*ast.Ident); ok {
				if d, ok := attributes[key.Name]; ok {
					c.report(f, n.Pos(), d, "process", "%s: no kata needs it, and a child that has it can leave the supervisor's sight", key.Name)
				}
			}
		case *ast.CallExpr:
			c.kills(f, n)
		}
		return true
	})
}

func (c *checker) selector(f *source, n *ast.SelectorExpr) {
	path, name, ok := f.refers(n)
	if !ok {
		if d, ok := attributes[n.Sel.Name]; ok && d != suspect {
			c.report(f, n.Pos(), d, "process", "%s: no kata needs it", n.Sel.Name)
		}
		return
	}
	if use, ok := lookUp(path, name); ok {
		c.report(f, n.Pos(), use.degree, use.rule, "%s.%s: %s", path[strings.LastIndexByte(path, '/')+1:], name, use.why)
	}
}

// lookUp finds the longest entry of uses that a name matches.
func lookUp(path, name string) (found use, ok bool) {
	if path == syscallPath || path == unixPath {
		path = "kernel"
	}
	longest := -1
	for key, u := range uses {
		pattern, here := strings.CutPrefix(key, path+".")
		if !here || len(pattern) <= longest {
			continue
		}
		before, after, star := strings.Cut(pattern, "*")
		if pattern == name || star && len(name) >= len(pattern)-1 && strings.HasPrefix(name, before) && strings.HasSuffix(name, after) {
			found, ok, longest = u, true, len(pattern)
		}
	}
	return found, ok
}

// written reports a variable of package os that is assigned to or whose address
// is taken.
func (c *checker) written(f *source, to ast.Expr) {
	for {
		switch x := to.(type) {
		case *ast.ParenExpr:
			to = x.X
			continue
		case *ast.IndexExpr:
			to = x.X
			continue
		case *ast.SliceExpr:
			to = x.X
			continue
		}
		break
	}
	switch path, name, _ := f.refers(to); {
	case path != "os":
	case name == "Args":
		c.report(f, to.Pos(), always, "flags", "os.Args is changed: it holds the flags of the tests that run")
	case name == "Stdin", name == "Stdout", name == "Stderr":
		c.report(f, to.Pos(), noted, "output", "os.%s is replaced: it belongs to the whole process, the tests too", name)
	}
}

// kills reports signals to processes that the program has not started.
func (c *checker) kills(f *source, call *ast.CallExpr) {
	path, name, ok := f.refers(call.Fun)
	kernel := path == syscallPath || path == unixPath
	if !ok || len(call.Args) == 0 || !(kernel && (name == "Kill" || name == "Tgkill" || name == "PidfdOpen") || path == "os" && name == "FindProcess") {
		return
	}
	pid := call.Args[0]
	negative := ""
	if u, ok := pid.(*ast.UnaryExpr); ok && u.Op == token.SUB {
		negative, pid = "-", u.X
	}
	switch x := pid.(type) {
	case *ast.BasicLit:
		switch negative + x.Value {
		case "-1":
			c.report(f, call.Pos(), always, "signal", "process -1 stands for every process that you may signal, all of your programs")
		case "1", "2":
			c.report(f, call.Pos(), strict, "signal", "process %s is none of this program's", x.Value)
		case "0":
			c.report(f, call.Pos(), suspect, "signal", "process 0 stands for the whole process group")
		}
	case *ast.CallExpr:
		switch path, name, _ := f.refers(x.Fun); {
		case name == "Getppid" && (path == "os" || path == syscallPath || path == unixPath):
			c.report(f, call.Pos(), suspect, "signal", "the parent of the process is signalled: of the tests it is the supervisor")
		}
	}
}
