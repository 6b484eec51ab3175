package wakes

import "golang.org/x/sys/unix"

const (
	arch      = unix.AUDIT_ARCH_AARCH64
	alarmCall = -1 // alarm(3) is setitimer(2) there
	listens   = true
)
