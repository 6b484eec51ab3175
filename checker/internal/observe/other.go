//go:build !linux

package observe

import "prokata/checker/internal/evidence"

// Processes needs Linux.
func Processes(root int) ([]evidence.Process, error) { return nil, ErrUnsupported }

// Memory needs Linux.
func Memory(pid int) (rssBytes int64, err error) { return 0, ErrUnsupported }

// Descriptors needs Linux.
func Descriptors(pid int) ([]evidence.Descriptor, error) { return nil, ErrUnsupported }

// SharedMappings needs Linux.
func SharedMappings(pid int) ([]evidence.Mapping, error) { return nil, ErrUnsupported }
