//go:build race

package spawn

func add() {}
