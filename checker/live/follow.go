package main

import (
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"

	"prokata/checker/internal/source/kata"
)

// A follower tells when a source of a kata has changed. It looks at the folder and not at
// the file: many editors write another file and give it the name.
type follower struct {
	watcher *fsnotify.Watcher
	tell    func(kata string)

	mu  sync.Mutex
	now kata.Kata
}

func newFollower(tell func(kata string)) (*follower, error) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, err
	}
	f := &follower{watcher: w, tell: tell}
	go f.run()
	return f, nil
}

func (f *follower) follow(k kata.Kata) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.now.Dir != "" {
		_ = f.watcher.Remove(f.now.Dir)
	}
	f.now = k
	_ = f.watcher.Add(k.Dir) // where it cannot be watched, a key runs the check
}

func (f *follower) close() { _ = f.watcher.Close() }

// run tells once of all that happens until the folder is left alone for a moment.
func (f *follower) run() {
	var quiet <-chan time.Time
	changed := ""
	for {
		select {
		case e, ok := <-f.watcher.Events:
			if !ok {
				return
			}
			name := filepath.Base(e.Name)
			if filepath.Ext(name) != ".go" || strings.HasPrefix(name, ".") || e.Op == fsnotify.Chmod {
				continue
			}
			f.mu.Lock()
			if filepath.Dir(e.Name) == f.now.Dir {
				changed = f.now.Name
				quiet = time.After(calm)
			}
			f.mu.Unlock()
		case <-quiet:
			quiet = nil
			f.tell(changed)
		case _, ok := <-f.watcher.Errors:
			if !ok {
				return
			}
		}
	}
}
