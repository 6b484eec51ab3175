//go:build !race

package spawn

func add() { go func() { total++ }() }
