package solutions_test

import (
	"fmt"
	"os"
	"testing"
)

// inGo holds the twin of each program in testdata/python, by its name: it
// gives with the Go solution what the program prints.
var inGo = map[string]func(*testing.T) any{
	"01_spawn":         spawnInGo,
	"02_pool":          poolInGo,
	"03_shared_memory": sharedMemoryInGo,
	"04_queue":         queueInGo,
	"05_pipe":          pipeInGo,
	"06_event":         eventInGo,
	"07_async":         asyncInGo,
	"08_deadlock":      deadlockInGo,
	"09_gil":           gilInGo,
	"10_crawl":         crawlInGo,
}

// check ends a child process that cannot go on; its parent sees that.
func check(err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", os.Args[0], err)
		os.Exit(1)
	}
}
