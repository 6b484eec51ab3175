package run

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"

	"prokata/checker/internal/evidence"
)

// blinded is a session whose test process is this one, and that sees all.
func blinded() *session {
	return &session{
		cmd: &exec.Cmd{Process: &os.Process{Pid: os.Getpid()}}, dir: &private{dir: os.TempDir()}, made: map[string]bool{},
		eyes: eyes{
			processes:   func(int) ([]evidence.Process, error) { return nil, nil },
			descriptors: func(int) ([]evidence.Descriptor, error) { return nil, nil },
			mappings:    func(int) ([]evidence.Mapping, error) { return nil, nil },
			files:       func(string) (map[string]fs.FileInfo, error) { return nil, nil },
			objects:     func(int) (objects, error) { return objects{own: true}, nil },
			words:       func(string) (int64, error) { return 0, nil },
			calls:       func(int) error { return nil },
			time:        func(int) error { return nil },
		},
	}
}

// A look that fails has not shown that nothing was left: what it looks for is unchecked.
func TestBlind(t *testing.T) {
	none := errors.New("not for you")
	for _, row := range []struct {
		name  string
		blind func(*eyes)
		codes []string
	}{
		{"nothing", func(*eyes) {}, nil},
		{"processes", func(e *eyes) { e.processes = func(int) ([]evidence.Process, error) { return nil, none } }, forProcesses},
		{"descriptors", func(e *eyes) { e.descriptors = func(int) ([]evidence.Descriptor, error) { return nil, none } }, forDescriptors},
		{"mappings", func(e *eyes) { e.mappings = func(int) ([]evidence.Mapping, error) { return nil, none } }, forMemory},
		{"objects", func(e *eyes) { e.objects = func(int) (objects, error) { return objects{}, none } }, forMemory},
		{"files", func(e *eyes) { e.files = func(string) (map[string]fs.FileInfo, error) { return nil, none } }, forFiles},
		{"words", func(e *eyes) { e.words = func(string) (int64, error) { return 0, none } }, forWords},
		{"calls", func(e *eyes) { e.calls = func(int) error { return none } }, forCalls},
		{"time", func(e *eyes) { e.time = func(int) error { return none } }, forTime},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := blinded()
			row.blind(&s.eyes)
			s.first()
			s.look()
			s.sharedRaces()
			assert.ElementsMatch(t, row.codes, s.unseen)
		})
	}
}

// Where others make objects too, only those count that the tree has opened.
func TestWhoseObject(t *testing.T) {
	s := blinded()
	s.eyes.objects = func(int) (objects, error) { return objects{names: map[string]bool{"old": true}}, nil }
	s.first()
	s.before = s.look()
	s.eyes.objects = func(int) (objects, error) {
		return objects{names: map[string]bool{"old": true, "sites": true, "mapped": true, "strange": true}}, nil
	}
	s.noteObject("/dev/shm/sites")
	s.noteObject("/dev/shm/old")
	s.noteObject("/tmp/strange")
	s.eyes.mappings = func(int) ([]evidence.Mapping, error) {
		return []evidence.Mapping{{Path: "/dev/shm/mapped", Bytes: 4096}}, nil
	}
	s.eyes.processes = func(int) ([]evidence.Process, error) { return []evidence.Process{{PID: 1 << 30, State: "S"}}, nil }
	assert.Equal(t, []string{"mapped", "sites"}, s.leftIn(s.look()).Shared)
	s.eyes.objects = func(int) (objects, error) {
		return objects{own: true, names: map[string]bool{"strange": true}}, nil
	}
	assert.Equal(t, []string{"strange"}, s.leftIn(s.look()).Shared, "in a folder of its own all is the tree's")
}

// What the machine lacked takes back what is held against a test, and gives no credit.
func TestSurroundings(t *testing.T) {
	all := []evidence.Test{
		{Status: evidence.Passed}, {Status: evidence.Failed}, {Status: evidence.Aborted, Limit: &evidence.Limit{Kind: "memory"}}, {Status: evidence.Aborted, Unjudged: "slow"},
	}
	surroundings(all, nil)
	assert.Empty(t, all[1].Unjudged)
	surroundings(all, []string{"the disk is full"})
	var said []string
	for _, t := range all {
		said = append(said, t.Unjudged)
	}
	assert.Equal(t, []string{"", "the disk is full", "", "slow"}, said)
}
