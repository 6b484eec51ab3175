//go:build !linux

package place

func holds(string) error { return nil }

// Prepare does nothing on this system.
func Prepare() {}

// Umask does nothing on this system.
func Umask() {}

// Start calls start.
func Start(start func() error) error { return start() }

// Look finds nothing missing on this system.
func Look(Need) []string { return nil }

// A Count is empty on this system.
type Count struct{}

// Note returns an empty count.
func Note() Count { return Count{} }

// Since finds nothing.
func (Count) Since() []string { return nil }

// Room is not known on this system.
func Room(string) (string, bool) { return "", true }

// Tasks is not known on this system.
func Tasks() (room int, known bool) { return 0, false }

// Calls finds nothing wrong: nothing looks at them on this system.
func Calls(int) error { return nil }

// Time finds nothing wrong: nothing looks at it on this system.
func Time(int) error { return nil }
