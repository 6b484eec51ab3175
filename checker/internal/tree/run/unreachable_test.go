package run

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"prokata/checker/internal/evidence"
	"prokata/checker/internal/source/kata"
	"prokata/checker/internal/tree/wire"
)

func TestUnreachable(t *testing.T) {
	by := func(file string) *evidence.Frame { return &evidence.Frame{File: file, Line: 1} }
	first := &evidence.Test{Name: "TestFirst", Left: evidence.Left{Goroutines: []evidence.Goroutine{{ID: 7}}}}
	second := &evidence.Test{Name: "TestSecond"}
	s := &session{
		job:   Job{Kata: kata.Kata{Folder: "01-a"}, Source: "katas/01-a"},
		tests: []*evidence.Test{first, second},
	}
	s.unreachable(wire.Event{Test: "TestSecond", Goroutines: []evidence.Goroutine{
		{ID: 7, Unreachable: true, CreatedBy: by("prokata/katas/01-a/a.go")},      // told by goleak, in the test before
		{ID: 8, Unreachable: true, CreatedBy: by("prokata/katas/01-a/a.go")},      // the program's
		{ID: 9, Unreachable: true, CreatedBy: by("prokata/katas/01-a/a_test.go")}, // the tests'
		{ID: 10, Unreachable: true, CreatedBy: by("testing/testing.go")},
		{ID: 11, Unreachable: true},
	}})
	assert.Equal(t, []evidence.Goroutine{{ID: 7, Unreachable: true}}, first.Left.Goroutines)
	if assert.Len(t, second.Left.Goroutines, 1) {
		assert.Equal(t, 8, second.Left.Goroutines[0].ID)
		assert.Equal(t, "katas/01-a/a.go", second.Left.Goroutines[0].CreatedBy.File)
	}
}
