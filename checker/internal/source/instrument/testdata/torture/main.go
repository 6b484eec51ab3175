// Command torture holds every place in which a hook must not stand. It prints
// the same whether it was instrumented or not.
package main // the hooks' import comes before this comment

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
)

func main() {
	if len(os.Args) > 1 {
		fmt.Println("child", os.Args[1])
		return
	}
	for _, f := range []func() string{
		labels, gotos, cases, selects, deferred, terminating, oneLine, closures, operands, loops, children, methods, shadowed, where,
	} {
		fmt.Println(f())
	}
}

func labels() string {
	ch := make(chan int, 9)
	n := 0
outer:
	for ch <- 0; ; ch <- n {
	inner:
		for range 3 {
			switch n += <-ch; {
			case n > 20:
				break outer
			case n%2 == 0:
				n++
				ch <- 1
				continue inner
			}
			n += 2
			continue outer
		}
	}
block:
	{
		ch <- 7
		if len(ch) < 5 {
			goto block
		}
	}
	return fmt.Sprint("labels ", n, len(ch))
}

func gotos() string {
	var mu sync.Mutex
	n := 0
again:
	mu.Lock()
	n++
	mu.Unlock()
	if n < 3 {
		goto again
	}
	if f, err := os.Open(os.DevNull); err == nil {
		f.Close()
		goto end
	}
	n = -1
end:
	return fmt.Sprint("gotos ", n)
}

func cases() string {
	var b strings.Builder
	var w io.Writer = &b
	for i := range 4 {
		switch f, err := os.Open(os.DevNull); {
		case err != nil:
			return err.Error()
		case i == 0:
			f.Close()
			fmt.Fprint(w, "zero ")
			fallthrough
		case i == 1:
			f.Close()
			fmt.Fprint(w, "one ")
		default:
			f.Close()
		}
	}
	switch x := w.(type) {
	case *strings.Builder:
		x.WriteString("builder")
	case *bytes.Buffer:
		x.WriteString("buffer")
	}
	return "cases " + b.String()
}

func selects() string {
	a, b, done := make(chan int), make(chan int, 1), make(chan bool)
	go func() { defer close(done); a <- 1; a <- 2 }()
	sum := 0
	for {
		select {
		case x := <-a:
			sum += x
		case b <- 0:
			<-b
		case <-done:
			return fmt.Sprint("selects ", sum)
		}
		select {
		case x, ok := <-b:
			if !ok {
				sum += x
			}
		default:
			runtime.Gosched()
		}
	}
}

func deferred() (s string) {
	defer func() {
		if r := recover(); r != nil {
			s = fmt.Sprint("deferred ", r, s)
		}
	}()
	order := ""
	defer func() { s += order }()
	for i := range 3 {
		defer func() { order += fmt.Sprint(i) }()
	}
	var mu sync.Mutex
	mu.Lock()
	defer mu.Unlock()
	func() {
		defer func() { order += "x" }()
		_, err := open()
		order += fmt.Sprint(err == nil)
	}()
	panic(errors.New("oops"))
}

func open() (*os.File, error) { return os.Open(os.DevNull) }

// Functions whose last statement must stay a terminating one.
func forever(ch chan int) int {
	for {
		if x := <-ch; x > 0 {
			return x
		}
	}
}

func either(ch chan int) (f *os.File, err error) {
	if f, err = os.Open(os.DevNull); err != nil {
		return nil, err
	} else if x := <-ch; x == 0 {
		return f, nil
	} else {
		return f, io.EOF
	}
}

func chosen() error {
	switch f, err := os.Open(os.DevNull); err {
	case nil:
		return f.Close()
	default:
		return err
	}
}

func panicking() (*os.File, error) {
	panic(fmt.Sprint(os.Open(os.DevNull)))
}

func inBlock() error {
	{
		f, err := os.Open(os.DevNull)
		f.Close()
		return err
	}
}

func terminating() string {
	ch := make(chan int, 3)
	ch <- 0
	ch <- 5
	f, err := either(ch)
	f.Close()
	return fmt.Sprint("terminating ", forever(ch), err, chosen(), inBlock())
}

func oneLine() string {
	var mu sync.Mutex
	mu.Lock()
	defer mu.Unlock()
	if f, err := os.Open(os.DevNull); err == nil {
		f.Close()
		return "one line"
	}
	return "no"
}

func closures() string {
	var wg sync.WaitGroup
	var n atomic.Int64
	for i := range 4 {
		wg.Go(func() { n.Add(int64(i)) })
	}
	go func() {}()
	wg.Wait()
	return fmt.Sprint("closures ", n.Load(), func() int64 { return n.Add(1) }())
}

type pair struct{ m map[string]int }

func (p pair) Load(k string) (int, bool) { v, ok := p.m[k]; return v, ok }
func (p pair) Store(k string, v int)     { p.m[k] = v }

func take(v int, ok bool) string { return fmt.Sprint(v, ok) }

func operands() string {
	var n atomic.Int64
	n.Store(n.Load() + 1)
	n.Store(max(n.Load(), n.Load()*2))
	n.CompareAndSwap(n.Load(), n.Load()+1)
	p := pair{map[string]int{"a": 1}}
	p.Store("b", 2)
	ch := make(chan string, 1)
	ch <- take(p.Load("a")) // two values: not to be wrapped
	var out bytes.Buffer
	fmt.Fprint(&out, <-ch, n.Load())
	return "operands " + out.String()
}

func loops() string {
	ch := make(chan int, 3)
	for i := 0; i < 3; i++ {
		ch <- i
	}
	close(ch)
	s := ""
	for x, ok := <-ch; ok; x, ok = <-ch {
		if x == 1 {
			continue
		}
		s += fmt.Sprint(x)
	}
	for range ch {
		s += "never"
	}
	var r strings.Reader
	for _, err := r.ReadByte(); err == nil; _, err = r.ReadByte() {
	}
	for n := range func(yield func(int) bool) { _ = yield(1) && yield(2) } {
		s += fmt.Sprint(n)
	}
	return "loops " + s
}

func children() string {
	exe, err := os.Executable()
	if err != nil {
		return err.Error()
	}
	one, err := exec.Command(exe, "one").Output()
	if err != nil {
		return err.Error()
	}
	cmd := exec.Command(exe, "two")
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err.Error()
	}
	if err := cmd.Start(); err != nil {
		return err.Error()
	}
	two, _ := io.ReadAll(out)
	if err := cmd.Wait(); err != nil {
		return err.Error()
	}
	return "children " + string(one) + string(two)
}

type door struct{ opened int }

func (d *door) Start() *door { d.opened++; return d }
func (d *door) File() int    { return d.opened }

func methods() string {
	d := &door{}
	return fmt.Sprint("methods ", d.Start().Start().File())
}

func shadowed() string {
	os := pair{map[string]int{}}
	os.Store("x", 1)
	_, ok := os.Load("x")
	prokata_hook := "name in use"
	return fmt.Sprint("shadowed ", ok, prokata_hook)
}

func where() string {
	var mu sync.Mutex
	mu.Lock()
	_, file, line, _ := runtime.Caller(0)
	mu.Unlock()
	return fmt.Sprint("where ", file[strings.LastIndexByte(file, '/')+1:], ":", line)
}
