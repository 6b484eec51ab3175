package box

// A Spec says what is in a box, and which of the layers it is to have.
type Spec struct {
	Show    map[string]string `json:"show,omitempty"`  // files and folders, read-only: from there, at this path
	Write   []string          `json:"write,omitempty"` // folders shown where they are, to be written
	Layer   []string          `json:"layer,omitempty"` // folders shown where they are, with a layer on top that takes what is written and is thrown away
	Hide    []string          `json:"hide,omitempty"`  // folders that are shown empty, of those that are shown
	Base    string            `json:"base"`            // an empty folder of the host's, on which the root is mounted
	Dir     string            `json:"dir,omitempty"`   // the command's working directory
	Limits  Limits            `json:"limits"`
	Without []string          `json:"without,omitempty"` // layers that are left out: those that a machine lacks
	UID     int               `json:"uid"`               // of the code under test; 0: the supervisor's own
	Groups  Groups            `json:"groups"`            // the control groups of the code under test, set by Start
}

// Limits bound what the processes of a box take.
type Limits struct {
	MemoryMiB int `json:"memory_mib"` // of all together, by the control group
	Tasks     int `json:"tasks"`      // processes and threads, by the control group
	TmpMiB    int `json:"tmp_mib"`    // of /tmp, and as much again of /dev/shm
	FileMiB   int `json:"file_mib"`   // the longest file
	Files     int `json:"files"`      // open in one process
	Seconds   int `json:"seconds"`    // of processor time of one process; 0: no bound
}

// Groups are folders of control groups; one that is not there is empty. With version 2
// the two are the same.
type Groups struct {
	Memory string `json:"memory,omitempty"`
	Tasks  string `json:"tasks,omitempty"`
}
