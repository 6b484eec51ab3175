// Command sites opens one thing of each kind and leaves it open.
package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"syscall"
)

func pipe() (*os.File, *os.File, error) {
	return os.Pipe() // returned: pipe
}

func main() {
	before, err := os.ReadFile("/proc/self/comm")
	fmt.Print(string(before))
	f, err := os.Open(os.DevNull) // file
	r, w, _ := pipe()
	l, err := net.Listen("tcp", "127.0.0.1:0")                                                // socket
	if pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0); err == nil { // pair
		defer fmt.Sprint(pair)
	}
	b, err := syscall.Mmap(int(f.Fd()), 0, 4096, syscall.PROT_READ, syscall.MAP_SHARED|syscall.MAP_ANON) // map
	cmd := exec.Command("cat")
	cmd.Stdin = r
	if err := cmd.Start(); err != nil { // child
		fmt.Println(err)
	}
	fmt.Println(err, len(b), l.Addr().Network())
	w.Close()
	cmd.Wait()
}
