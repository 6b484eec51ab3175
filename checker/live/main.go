// Command live checks a kata each time its source is saved, and shows where it stands.
// It is a program of its own, so that a learner's first check need not wait until what
// draws on a terminal is compiled.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"

	tea "charm.land/bubbletea/v2"
	"golang.org/x/term"

	"prokata/checker/internal/climb"
	"prokata/checker/internal/source/kata"
	"prokata/checker/internal/tree/place"
)

func main() {
	code, err := watch(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "watch:", err)
	}
	os.Exit(code)
}

func watch(args []string) (code int, err error) {
	root, err := kata.Root(".")
	if err != nil {
		return 2, err
	}
	katas, err := kata.All(root)
	if err != nil {
		return 2, err
	}
	standing := climb.Load(root)
	at, err := first(katas, standing, args)
	if err != nil {
		return 2, err
	}
	if !term.IsTerminal(int(os.Stdin.Fd())) || !term.IsTerminal(int(os.Stdout.Fd())) {
		return 2, errors.New("there is no terminal to draw on; make check KATA=" + katas[at].Name + " checks once")
	}
	place.Prepare()
	self, err := os.Executable()
	if err != nil {
		return 3, err
	}
	w := &worker{root: root, stand: standing, supervisor: []string{filepath.Join(filepath.Dir(self), "checker"), "supervise"}}
	p := tea.NewProgram(newModel(w, katas, at, os.Getenv("NO_COLOR") == ""), tea.WithoutSignalHandler())
	w.send = p.Send
	if w.files, err = newFollower(func(name string) { p.Send(saved{name}) }); err != nil {
		return 3, fmt.Errorf("watch the katas' folders: %w", err)
	}
	defer w.files.close()
	w.files.follow(katas[at])
	// Whatever ends it, what runs is ended with it, and the terminal is as it was.
	defer w.halt()
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)
	got := make(chan syscall.Signal, 1)
	go func() {
		s := (<-signals).(syscall.Signal)
		got <- s
		p.Quit()
	}()
	_, err = p.Run()
	select {
	case s := <-got:
		return 128 + int(s), nil
	default:
	}
	if err != nil {
		return 3, err
	}
	return 0, nil
}

// first is the kata to begin with: the one that is named, or the first that is not climbed.
func first(katas []kata.Kata, standing climb.Standing, args []string) (int, error) {
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) > 0 {
		chosen, err := kata.Select(katas, args)
		if err != nil {
			return 0, err
		}
		if len(chosen) > 1 {
			return 0, errors.New("it takes one kata: make watch KATA=spawn")
		}
		return slices.IndexFunc(katas, func(k kata.Kata) bool { return k.Folder == chosen[0].Folder }), nil
	}
	i := slices.IndexFunc(katas, func(k kata.Kata) bool { return standing[k.Name] <= len(k.Steps) })
	return max(0, i), nil
}
