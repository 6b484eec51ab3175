//go:build !linux

package run

type cage struct{}

func newCage(int, *Box) cage { return cage{} }

func (cage) hold(int, int) error { return nil }

func (cage) remove() {}

func (cage) refused() int64 { return 0 }

func (cage) starved() int64 { return 0 }
