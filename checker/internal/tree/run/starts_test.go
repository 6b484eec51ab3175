//go:build linux

package run

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"prokata/checker/internal/tree/wire"
)

// Who presents itself is counted if it runs the program in question, under the number
// that the kernel gives, whatever it says.
func TestStarts(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	for _, row := range []struct {
		name, program, says string
		want                []wire.Child
	}{
		{"this program", self, `{"pid":1,"parent":7,"name":"worker"}`, []wire.Child{{PID: os.Getpid(), Parent: 7, Name: "worker"}}},
		{"this program, and nonsense", self, `pid`, []wire.Child{{PID: os.Getpid()}}},
		{"another program", "/bin/sh", `{"pid":1,"parent":7,"name":"worker"}`, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := t.TempDir()
			s, err := newStarts(dir, row.program, nil, &chronicle{})
			require.NoError(t, err)
			defer s.close()
			conn, err := net.Dial("unixpacket", filepath.Join(dir, wire.StartSocket))
			require.NoError(t, err)
			defer conn.Close()
			_, err = conn.Write([]byte(row.says))
			require.NoError(t, err)
			_, err = conn.Read(make([]byte, 1)) // it has been looked at
			require.NoError(t, err)
			assert.Equal(t, row.want, s.take())
			assert.Empty(t, s.take())
		})
	}
}

// One that waits for an answer goes on when the run is over, and a folder with a long
// name is no hindrance.
func TestStartsEnds(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("long", 40))
	require.NoError(t, os.Mkdir(dir, 0o700))
	self, err := os.Executable()
	require.NoError(t, err)
	s, err := newStarts(dir, self, nil, &chronicle{})
	require.NoError(t, err)
	t.Chdir(dir)
	conn, err := net.Dial("unixpacket", wire.StartSocket)
	require.NoError(t, err)
	defer conn.Close()
	s.close()
	_, err = conn.Read(make([]byte, 1))
	assert.Error(t, err)
}
