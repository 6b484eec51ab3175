package grading

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"prokata/checker/internal/check"
	"prokata/checker/internal/class/store"
	"prokata/checker/internal/judge/grade"
	"prokata/checker/internal/source/kata"
	"prokata/checker/internal/tree/place"
)

// Here is the judge that checks on this machine, as "checker check --untrusted" does, in
// the sandbox; nil is none.
func Here(root string, katas []kata.Kata, supervisor []string, sandbox *check.Sandbox, lane *check.Lane) Judge {
	return func(ctx context.Context, j store.Job) (v grade.Kata, err error) {
		i := slices.IndexFunc(katas, func(k kata.Kata) bool { return k.Folder == j.Kata })
		if i < 0 {
			return v, fmt.Errorf("there is no kata %s here", j.Kata)
		}
		base, err := place.Temp()
		if err != nil {
			return v, err
		}
		// No name of a student is in the path: a program sees it.
		dir, err := os.MkdirTemp(base, "prokata-class-")
		if err != nil {
			return v, fmt.Errorf("make a place for the submission: %w", err)
		}
		defer os.RemoveAll(dir)
		source := filepath.Join(dir, j.Kata)
		if err := os.Mkdir(source, 0o700); err != nil {
			return v, err
		}
		for name, text := range j.Files {
			if err := os.WriteFile(filepath.Join(source, name), text, 0o600); err != nil {
				return v, err
			}
		}
		v, err = lane.Source(ctx, katas[i], check.Options{
			Root: root, From: dir, Repeat: j.Repeat, Both: true, Seed: j.Seed, Supervisor: supervisor, Untrusted: true, Sandbox: sandbox,
		})
		if err != nil {
			return v, err
		}
		return elsewhere(v, dir)
	}
}

// elsewhere takes the folder out of all that the verdict says: it is gone by now, and each
// run has another.
func elsewhere(v grade.Kata, dir string) (without grade.Kata, err error) {
	text, err := json.Marshal(v)
	if err != nil {
		return v, err
	}
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return v, err
	}
	text = bytes.ReplaceAll(text, []byte(real+"/"), nil)
	return without, json.Unmarshal(text, &without)
}
