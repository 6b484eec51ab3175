package solutions_test

import "testing"

// inGo holds the twin of each program in testdata/python, by its name: it
// gives with the Go solution what the program prints.
var inGo = map[string]func(*testing.T) any{
	"10_crawl": crawlInGo,
}
