//go:build linux && !amd64 && !arm64

package wakes

// Other kinds of processors were never tried.
const (
	arch      = 0
	alarmCall = -1
	listens   = false
)
