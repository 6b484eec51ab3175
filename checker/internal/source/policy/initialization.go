package policy

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// What runs before main runs before every test, and could end the process, or
// change its arguments, with no test begun. A kata needs it for tables and to
// register its child functions. So the policy follows the code that
// initializes the package, through the functions of the package that it calls.

// endings are the functions that end the process or its first goroutine.
var endings = map[string][]string{
	"os":        {"Exit"},
	syscallPath: {"Exit", "Exec"},
	unixPath:    {"Exit", "ExitGroup", "Exec"},
	"log":       {"Fatal", "Fatalf", "Fatalln"},
	"runtime":   {"Goexit"},
}

// harmless are the packages of which initialization may call any function but
// those named, and where names follow a "+" these alone.
var harmless = map[string]string{
	"bytes": "", "cmp": "", "context": "", "crypto/md5": "", "crypto/sha1": "", "crypto/sha256": "", "encoding/base64": "",
	"encoding/binary": "", "encoding/hex": "", "errors": "", "fmt": "Scan Scanf Scanln Print Printf Println Fprint Fprintf Fprintln",
	"hash/crc32": "", "hash/fnv": "", "iter": "", "maps": "", "math": "", "math/big": "", "math/bits": "", "math/rand": "", "math/rand/v2": "",
	"path": "", "path/filepath": "Walk WalkDir Glob", "reflect": "", "regexp": "", "slices": "", "strconv": "", "strings": "",
	"sync": "", "sync/atomic": "", "unicode": "", "unicode/utf8": "", "time": "Sleep AfterFunc After Tick NewTimer NewTicker",
	"encoding/gob":               "+ Register RegisterName",
	"github.com/moby/sys/reexec": "+ Register Self",
	"log":                        "+ New",
	"os":                         "+ Getpid Getppid Getenv LookupEnv Getpagesize Executable NewFile FileMode TempDir",
	"runtime":                    "+ NumCPU GOMAXPROCS",
	syscallPath:                  "+ Signal Errno Getpid Getpagesize",
	unixPath:                     "+ Signal Errno Getpid Getpagesize SignalNum",
}

// methods that initialization may call on anything.
var harmlessMethods = strings.Fields("Add And Or Load Store Swap CompareAndSwap Lock Unlock RLock RUnlock Register New Elem Seconds Milliseconds")

// printed are the methods that package fmt calls on what it prints.
var printed = []string{"String", "Error", "Format", "GoString", "Write"}

type declared struct {
	in   *source
	decl *ast.FuncDecl
}

// initializer follows the code that initializes one package.
type initializer struct {
	*checker
	functions map[string]declared
	methods   map[string][]declared
	types     map[string]bool
	variable  map[string]bool
	done      map[*ast.FuncDecl]bool
}

func (c *checker) initialization(pkg []*source) {
	in := &initializer{checker: c, functions: map[string]declared{}, methods: map[string][]declared{}, types: map[string]bool{}, variable: map[string]bool{}, done: map[*ast.FuncDecl]bool{}}
	for _, f := range pkg {
		for _, d := range f.file.Decls {
			in.declare(f, d)
		}
	}
	for _, f := range pkg {
		for _, d := range f.file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil && d.Name.Name == "init" {
					in.function(declared{f, d})
				}
			case *ast.GenDecl:
				if d.Tok == token.VAR {
					in.variables(f, d)
				}
			}
		}
	}
}

func (in *initializer) declare(f *source, d ast.Decl) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv != nil {
			in.methods[d.Name.Name] = append(in.methods[d.Name.Name], declared{f, d})
		} else if d.Name.Name != "init" {
			in.functions[d.Name.Name] = declared{f, d}
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				in.types[s.Name.Name] = true
			case *ast.ValueSpec:
				for _, name := range s.Names {
					in.variable[name.Name] = true
				}
			}
		}
	}
}

// variables follows the initial values of package variables.
func (in *initializer) variables(f *source, d *ast.GenDecl) {
	for _, spec := range d.Specs {
		for _, value := range spec.(*ast.ValueSpec).Values {
			in.follow(f, value)
		}
	}
}

func (in *initializer) function(d declared) {
	if d.decl.Body == nil || in.done[d.decl] {
		return
	}
	in.done[d.decl] = true
	in.follow(d.in, d.decl.Body)
}

// follow looks at what runs when a node does. A function literal is a value,
// for instance of a table, unless it is called, or handed to what may call it.
func (in *initializer) follow(f *source, n ast.Node) {
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.GoStmt:
			in.report(f, n.Pos(), strict, "init", "a goroutine is started before the tests begin")
		case *ast.RangeStmt:
			in.value(f, n.X) // a function may be ranged over
		case *ast.CallExpr:
			in.call(f, n)
		}
		return true
	})
}

// registers tells a call that keeps the functions it is given for later:
// reexec.Register, sync.OnceFunc, or a function of the package that is named so.
func (in *initializer) registers(f *source, call *ast.CallExpr) bool {
	if path, name, ok := f.refers(call.Fun); ok {
		return path == "github.com/moby/sys/reexec" && name == "Register" || path == "sync" && strings.HasPrefix(name, "Once")
	}
	fun := call.Fun
	if x, ok := fun.(*ast.IndexExpr); ok { // an instance of a generic function
		fun = x.X
	}
	id, ok := fun.(*ast.Ident)
	if !ok {
		return false
	}
	_, ok = in.functionOf(id)
	return ok && (strings.HasPrefix(id.Name, "Register") || strings.HasPrefix(id.Name, "register"))
}

func (in *initializer) call(f *source, call *ast.CallExpr) {
	fun := ast.Unparen(call.Fun)
	switch x := fun.(type) { // an instance of a generic function
	case *ast.IndexExpr:
		if _, _, ok := f.refers(x.X); ok || in.isFunction(x.X) {
			fun = x.X
		}
	case *ast.IndexListExpr:
		fun = x.X
	}
	switch x := fun.(type) {
	case *ast.FuncLit:
		in.follow(f, x.Body)
	case *ast.Ident:
		if d, ok := in.functionOf(x); ok {
			in.function(d)
		} else if !in.typeOf(x) {
			in.report(f, x.Pos(), only, "init", "%s is called before the tests begin, and what it is shows only then", x.Name)
		}
	case *ast.SelectorExpr:
		if path, name, ok := f.refers(x); ok {
			in.external(f, call, path, name)
			return
		}
		if ds := in.methods[x.Sel.Name]; len(ds) > 0 {
			for _, d := range ds {
				in.function(d)
			}
			return
		}
		if !slices.Contains(harmlessMethods, x.Sel.Name) {
			in.report(f, x.Pos(), only, "init", "the method %s is called before the tests begin", x.Sel.Name)
		}
		in.handed(f, call)
	case *ast.ArrayType, *ast.MapType, *ast.ChanType, *ast.FuncType, *ast.InterfaceType, *ast.StarExpr:
		// a conversion
	default:
		in.report(f, fun.Pos(), only, "init", "a function is called before the tests begin, and which one shows only then")
	}
}

// external judges a call of another package's function.
func (in *initializer) external(f *source, call *ast.CallExpr, path, name string) {
	short := path[strings.LastIndexByte(path, '/')+1:] + "." + name
	if slices.Contains(endings[path], name) {
		in.report(f, call.Pos(), always, "init", "%s is called before the tests begin: they would never run", short)
		return
	}
	names, ok := harmless[path]
	if alone, listed := strings.CutPrefix(names, "+"); listed {
		ok = slices.Contains(strings.Fields(alone), name)
	} else {
		ok = ok && !slices.Contains(strings.Fields(names), name)
	}
	if !ok {
		in.report(f, call.Pos(), only, "init", "%s is called before the tests begin: only tables and the registration of functions belong there", short)
	}
	if path == "fmt" {
		for _, m := range printed {
			for _, d := range in.methods[m] {
				in.function(d)
			}
		}
	}
	in.handed(f, call)
}

// handed follows the functions that are handed to a call out of the package,
// which may call them back. A function of the package is followed itself.
func (in *initializer) handed(f *source, call *ast.CallExpr) {
	if in.registers(f, call) {
		return
	}
	for _, arg := range call.Args {
		in.value(f, arg)
	}
}

// value follows a function that is handed on and may be called.
func (in *initializer) value(f *source, x ast.Expr) {
	switch x := ast.Unparen(x).(type) {
	case *ast.FuncLit:
		in.follow(f, x.Body)
	case *ast.Ident:
		if d, ok := in.functionOf(x); ok {
			in.function(d)
		}
	}
}

func (in *initializer) isFunction(x ast.Expr) bool {
	id, ok := x.(*ast.Ident)
	if !ok {
		return false
	}
	_, ok = in.functionOf(id)
	return ok
}

// functionOf returns the function of the package that a name stands for, if it is one and
// nothing nearer hides it.
func (in *initializer) functionOf(id *ast.Ident) (declared, bool) {
	if o := id.Obj; o != nil {
		if _, ok := o.Decl.(*ast.FuncDecl); !ok {
			return declared{}, false
		}
	}
	d, ok := in.functions[id.Name]
	return d, ok
}

// typeOf tells a name by which a conversion or a predeclared function is called.
func (in *initializer) typeOf(id *ast.Ident) bool {
	if o := id.Obj; o != nil {
		return o.Kind == ast.Typ
	}
	return in.types[id.Name] || predeclared[id.Name] && !in.variable[id.Name]
}

// predeclared are the functions and types that need no declaration.
var predeclared = func() map[string]bool {
	m := map[string]bool{}
	for _, name := range strings.Fields(`append cap clear close complex copy delete imag len make max min new panic print println real recover
		any bool byte comparable complex64 complex128 error float32 float64 int int8 int16 int32 int64 rune string
		uint uint8 uint16 uint32 uint64 uintptr`) {
		m[name] = true
	}
	return m
}()
