package pipe_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/moby/sys/reexec"

	pipe "prokata/katas/05-pipe"
)

// What the children of these tests do with their end of the connection. A
// child that cannot go on exits with 1.
func init() {
	for name, do := range map[string]func(*pipe.Conn) error{
		"pipe-answer":  answer,
		"pipe-lengths": sendLengths,
		"pipe-echo":    echo,
		"pipe-count":   count,
		"pipe-burst":   burst,
		"pipe-deaf":    deaf,
		"pipe-big":     big,
		"pipe-judge":   judge,
		"pipe-file":    writeFile,
		"pipe-heir":    tellInheritance,
		"pipe-line":    startGrandchild,
	} {
		reexec.Register(name, func() {
			c, err := pipe.Open()
			if err == nil {
				os.Stdout.Write([]byte("!")) // It is there: start waits for it.
				err = do(c)
			}
			if err != nil {
				fmt.Fprintln(os.Stderr, name+":", err)
				os.Exit(1)
			}
		})
	}
}

// answer sends back as many messages as its argument says.
func answer(c *pipe.Conn) error {
	n, err := strconv.Atoi(os.Args[1])
	if err != nil {
		return err
	}
	for range n {
		message, err := c.Recv()
		if err != nil {
			return err
		}
		if err := c.Send(message); err != nil {
			return err
		}
	}
	return c.Close()
}

// lengths are those of many messages: some whose frames fit into one another, and
// some longer than what a socket holds.
var lengths = []int{1, 4, 5, 1, 0, 4095, 4096, 4097, 65535, 65536, 65537, 3, 0, 0, 1 << 20, 2}

// sendLengths sends messages of these lengths, receives as many, and says whether
// they are whole.
func sendLengths(c *pipe.Conn) error {
	for i, n := range lengths {
		if err := c.Send(pattern(n, byte(i))); err != nil {
			return err
		}
	}
	var messages [][]byte
	for range lengths {
		message, err := c.Recv()
		if err != nil {
			return err
		}
		messages = append(messages, message)
	}
	verdict := "whole"
	if err := compare(messages); err != nil {
		verdict = err.Error()
	}
	return errors.Join(c.Send([]byte(verdict)), c.Close())
}

// compare looks at messages of these lengths when all are there: none may change
// when the next is received.
func compare(messages [][]byte) error {
	for i, n := range lengths {
		if len(messages[i]) != n {
			return fmt.Errorf("message %d of %d bytes arrived with %d", i, n, len(messages[i]))
		}
		if !bytes.Equal(messages[i], pattern(n, byte(i))) {
			return fmt.Errorf("message %d of %d bytes arrived changed, or changed later", i, n)
		}
	}
	return nil
}

// echo sends back what it receives, up to the end of the stream.
func echo(c *pipe.Conn) error {
	for {
		message, err := c.Recv()
		if err == io.EOF {
			return c.Close()
		}
		if err != nil {
			return err
		}
		if err := c.Send(message); err != nil {
			return err
		}
	}
}

// count sends the numbers from 1 to 1,000 while it receives the same.
func count(c *pipe.Conn) error {
	sent := make(chan error, 1)
	go func() { sent <- sendNumbers(c) }()
	if err := recvNumbers(c); err != nil {
		return err
	}
	return <-sent
}

func sendNumbers(c *pipe.Conn) error {
	for n := 1; n <= 1000; n++ {
		if err := c.Send([]byte(strconv.Itoa(n))); err != nil {
			return err
		}
	}
	return nil
}

func recvNumbers(c *pipe.Conn) error {
	for n := 1; n <= 1000; n++ {
		message, err := c.Recv()
		if err != nil {
			return err
		}
		if string(message) != strconv.Itoa(n) {
			return fmt.Errorf("%q arrived where %d should have", message, n)
		}
	}
	return nil
}

// burst sends three messages and is gone, with no Close.
func burst(c *pipe.Conn) error {
	for _, message := range []string{"one", "two", "three"} {
		if err := c.Send([]byte(message)); err != nil {
			return err
		}
	}
	os.Exit(0)
	return nil
}

// deaf says that it is there and never receives anything.
func deaf(c *pipe.Conn) error {
	if err := c.Send([]byte("here")); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

// bigLength is what both sides send before they receive.
const bigLength = 16 << 20

// big sends a big message, receives one, and says whether it was whole.
func big(c *pipe.Conn) error {
	if err := c.Send(pattern(bigLength, 2)); err != nil {
		return err
	}
	message, err := c.Recv()
	if err != nil {
		return err
	}
	if !bytes.Equal(message, pattern(bigLength, 1)) {
		return fmt.Errorf("%d bytes arrived, and not those that were sent", len(message))
	}
	return c.Send([]byte("whole"))
}

// judge receives messages, each a single letter repeated, and at the end of the
// stream exits with 1 if one was not; else it has answered each with the letter.
func judge(c *pipe.Conn) error {
	for {
		message, err := c.Recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if len(message) == 0 || len(bytes.Trim(message, string(message[:1]))) > 0 {
			return fmt.Errorf("a message of %d bytes is a mix of several", len(message))
		}
		if err := c.Send(message[:1]); err != nil {
			return err
		}
	}
}

// writeFile receives a message, a file and another message, writes both
// messages to the file, and sends a file of its own.
func writeFile(c *pipe.Conn) error {
	before, err := c.Recv()
	if err != nil {
		return err
	}
	f, err := c.RecvFile()
	if err != nil {
		return err
	}
	after, err := c.Recv()
	if err != nil {
		return err
	}
	if _, err := f.Write(append(before, after...)); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	if err := c.SendFile(r); err != nil {
		return err
	}
	r.Close()
	_, err = w.WriteString("from the child")
	return err
}
