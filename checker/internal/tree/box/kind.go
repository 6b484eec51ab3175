package box

// A Kind says what process 1 does once the box stands.
type Kind string

// The kinds of boxes.
const (
	Supervise Kind = "supervise" // it watches tests, which go through the airlock; the groups are theirs
	Exec      Kind = "exec"      // it goes through the airlock itself, and becomes the command; the groups are its own
	Trial     Kind = "trial"     // it has a process try every layer
)
