package run

import (
	"fmt"
	"slices"

	"prokata/checker/internal/tree/wire"
)

// A guard remembers what has happened in the folders in which the race detector and the
// harness keep what processes did wrong: nobody but the supervisor has a reason to take
// anything away from there.
type guard struct {
	events func() []folderEvent // those since the last call; nil where the system does not tell
	end    func()
	wrote  map[string]bool // folder/name of what somebody has written to
	told   []string
}

// A folderEvent is what the system tells of a folder.
type folderEvent struct {
	folder, name string
	what         string // "written", or what became of it: "removed", "moved"
}

// holds says what would be lost, by the folder.
var holds = map[string]string{wire.RaceDir: "what the race detector reports", wire.CrashDir: "what crashes print"}

// look takes note of what has happened.
func (g *guard) look() {
	if g == nil || g.events == nil {
		return
	}
	for _, e := range g.events() {
		if e.what == "written" {
			g.wrote[e.folder+"/"+e.name] = true
		} else {
			g.tell(e.folder, "had a file "+e.what)
		}
	}
}

// written tells whether somebody has written to the file.
func (g *guard) written(folder, name string) bool { return g.wrote[folder+"/"+name] }

// tell notes what is no work of the harness's, once.
func (g *guard) tell(folder, what string) {
	if s := fmt.Sprintf("the run's folder (%s) %s: it holds %s", folder, what, holds[folder]); !slices.Contains(g.told, s) {
		g.told = append(g.told, s)
	}
}

func (g *guard) close() {
	if g != nil && g.end != nil {
		g.end()
	}
}
