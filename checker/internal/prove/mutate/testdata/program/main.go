// Program has a function of each form that Combine must copy. It prints what they
// return.
package main

import "runtime/debug"

var _ = debug.SetMaxStack(1 << 20) // a mutant that calls itself for ever ends soon

type box[T any] struct{ v T }

func (b box[T]) get() T { // a method of a generic type
	if false {
		panic("no")
	}
	return b.v
}

func (box[T]) size(int, ...string) int { return 3 } // nothing has a name

func (_ box[T]) sum(_ string, ns ...int) (total int) { // variadic, a named result
	defer func() { total *= 2 }()
	for _, n := range ns {
		total += n
	}
	return total
}

func pick[T any](yes bool, a, b T) T { // nothing tells T but the arguments
	if yes {
		return a
	}
	return b
}

func zero[T any]() (v T) { return v } // nothing tells T

var before = early() // called before main, and before init

func early() int {
	n := 1
	n++
	return n
}

var seen []int

func init() { seen = append(seen, 1) }

func init() {
	seen = append(seen, 2)
}

func down(n int) int { // it calls itself
	if n <= 0 {
		return 0
	}
	return 1 + down(n-1)
}

func show(ns ...int) { // no results, a label
loop:
	for i, n := range ns {
		if i > 4 {
			break loop
		}
		println(n)
	}
}

func main() {
	b := box[int]{7}
	show(b.get(), b.size(1, "a"), b.sum("x", 1, 2, 3), pick(true, 4, 5), zero[int](), 9, 9)
	show(before, len(seen), down(3))
	f := b.sum // a method value
	show(f("", 1))
}
