package build

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/internal/source/kata"
)

// A learner's own test file is no part of a check; a kata's files are, those without
// tests included.
func TestOwn(t *testing.T) {
	k := kata.Kata{Tests: []kata.Test{{Name: "TestHello"}}}
	for text, want := range map[string]bool{
		"package a\nfunc TestMine(t *testing.T) {}":                                        true,
		"package a\nfunc helper() {}\nfunc TestMine(t *testing.T) {}\nfunc TestB(t *T) {}": true,
		"package a\nfunc TestMine(t *testing.T) {":                                         true,
		"package a\nfunc TestHello(t *testing.T) {}":                                       false,
		"package a\nfunc TestHello(t *testing.T) {}\nfunc TestMine(t *testing.T) {}":       false,
		"package a\nfunc TestMain(m *testing.M) {}":                                        false,
		"package a\nfunc helper() {}":                                                      false,
		"":                                                                                 false,
	} {
		path := filepath.Join(t.TempDir(), "x_test.go")
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		assert.Equal(t, want, own(path, k), text)
	}
}
