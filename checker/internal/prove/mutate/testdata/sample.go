// Package sample has something for each operator.
package sample

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

type pool struct {
	mu, other sync.Mutex
	n         int
	open      bool
	work      chan int
}

var errClosed = errors.New("closed")

func (p *pool) put(x int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.open || x < 0 && x != -1 {
		return errClosed
	}
	p.n++
	p.work <- x
	return nil
}

func (p *pool) both() {
	p.mu.Lock()
	p.other.Lock()
	p.n = 2 * 4096
	p.other.Unlock()
	p.mu.Unlock()
	if p.n > 3 {
		fmt.Fprintln(os.Stderr, "for a person")
	}
}

func run(stop <-chan bool) (err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("run: %w", err)
	}
	cmd := exec.Command("true")
	cmd.Stdout = w
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	w.Close()
	f, _ := os.OpenFile("x", os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	defer f.Close()
	defer os.Remove("x")
	var wg sync.WaitGroup
	for i := 0; i < 10; i++ {
		if i == 5 {
			continue
		}
		wg.Go(func() { r.Read(make([]byte, 0, 8)) })
	}
	go func() {
		wg.Wait()
		for range stop {
			time.Sleep(10 * time.Millisecond)
		}
	}()
	select {
	case <-stop:
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
	case <-time.After(time.Second):
	}
	_ = cmd.Wait()
	os.Remove("y")
	<-stop
	return r.Close()
}

func lock(f *os.File) error {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}

func closeAll(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}
