package trace

import (
	"regexp"
	"sync"
)

// lazy compiles an expression when it is first used. Every process of a kata links
// this package, most of them never read a trace, and hundreds of them are started.
func lazy(expression string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })
}
