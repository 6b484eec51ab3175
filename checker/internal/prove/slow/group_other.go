//go:build !linux

package slow

type group struct{ dir string }

func (*group) remove() {}

func newQuota(cores float64) (*group, error)                   { return nil, errNotHere }
func newMemory(bytes int64) (*group, error)                    { return nil, errNotHere }
func startAll(command []string, n int) (end func(), err error) { return nil, errNotHere }

// Join needs Linux.
func Join(dir string) error { return errNotHere }

// Hog needs Linux.
func Hog() {}

// Read needs Linux.
func Read(bytes int64) error { return errNotHere }
