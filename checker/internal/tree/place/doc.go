// Package place looks at where a run is to happen, before the first test and after one
// that did not pass: is there room for files, for processes, for open descriptors; can a
// program be started from the folder for temporary files, and a socket be bound there;
// does /proc show this process. What is missing there is nobody's mistake, and a program
// that meets it looks as if it were wrong.
//
// What can be mended here is: another folder is taken, soft limits are raised, signals
// that a parent blocked or ignored are as a shell would give them.
package place

// A Need is what the tests of one kata ask of the machine.
type Need struct {
	Files    int   // open at one time in one process
	Tasks    int   // processes and threads at one time
	Bytes    int64 // the longest file
	Race     bool  // built with the race detector, which maps much and uses little
	Loopback bool  // TCP on this machine
}
