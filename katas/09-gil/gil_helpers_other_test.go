//go:build !linux

package gil_test

import (
	"sync/atomic"
	"time"
)

var start = time.Now()

// threadCPU returns the time that has passed: a thread's own is not to be had on
// every system.
func threadCPU() time.Duration { return time.Since(start) }

var calls atomic.Int64

// threadID names nobody here: each call gets a name of its own.
func threadID() int64 { return calls.Add(1) }

// isRunning believes that who is at work is running.
func isRunning(int64) bool { return true }
