package intake

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"prokata/checker/internal/source/kata"
)

var katas = []kata.Kata{
	{Number: 1, Name: "spawn", Folder: "01-spawn", Files: []string{"spawn.go"}},
	{Number: 8, Name: "deadlock", Folder: "08-deadlock", Files: []string{"deadlock.go", "dine.go"}},
}

// tell is a submission in one line: its owner, its files, and what is the matter.
func tell(s Submission) string {
	var b strings.Builder
	for _, w := range s.Who {
		fmt.Fprintf(&b, "%s/%s ", w.Kind, w.ID)
	}
	if s.Who != nil && s.Who[0].Kind == "gradescope" {
		b.WriteString(s.At.UTC().Format("15:04 "))
	}
	if s.Late {
		b.WriteString("late ")
	}
	for _, src := range s.Sources {
		fmt.Fprintf(&b, "%s[", src.Kata.Name)
		for _, f := range src.Files {
			fmt.Fprintf(&b, "%s<%s ", f.Name, f.From)
		}
		fmt.Fprintf(&b, "%s] ", src.Broken)
	}
	return b.String() + strings.Join(s.Notes, "; ") + s.Broken
}

func TestLayouts(t *testing.T) {
	const spawn = "package spawn\n"
	for name, row := range map[string]struct {
		files map[string]string
		want  []string
	}{
		"plain": {
			map[string]string{
				"1815/spawn.go": spawn, "ada/katas/01-spawn/spawn.go": spawn, "ada/solutions/01-spawn/spawn.go": "package spawn // ours\n",
				"bob/a/deadlock.go": "package deadlock\n", "bob/b/dine.go": "package deadlock\n", "cleo.go": spawn, "roster.csv": "", ".git/x.go": spawn,
				"dan/old/spawn.go": "package spawn // old\n", "dan/spawn.go": spawn, "eve/answer.go": spawn, "eve/main.go": "package main\n", "fay/x.txt": "",
				"gus/SPAWN.GO": "", "hal/Spawn (2).go": "package spawn // second\n", "ida/spawn.go": spawn, "ida/copy/spawn.go": spawn, "jo/spawn_test.go": spawn,
			},
			[]string{
				"folder/1815 spawn[spawn.go<spawn.go ] ",
				"folder/ada spawn[spawn.go<katas/01-spawn/spawn.go ] ",
				"folder/bob deadlock[deadlock.go<a/deadlock.go dine.go<b/dine.go ] ",
				"folder/cleo spawn[spawn.go<cleo.go ] ",
				"folder/dan spawn[spawn.go<old/spawn.go old/spawn.go and spawn.go differ, and both could be spawn.go: hand in one of them] ",
				"folder/eve spawn[spawn.go<answer.go ] main.go belongs to no kata, by its folder, its name and its package",
				"folder/fay it holds no Go file that belongs to a kata",
				"folder/gus it holds no Go file that belongs to a kata",
				"folder/hal spawn[spawn.go<Spawn (2).go ] ",
				"folder/ida spawn[spawn.go<copy/spawn.go ] ",
				"folder/jo it holds no Go file that belongs to a kata",
			},
		},
		"canvas": {
			map[string]string{
				"lovelaceada_LATE_1042_77810_spawn-1.go": spawn, "lovelaceada_LATE_1042_77811_dine.go": "package deadlock\n",
				"hoppergrace_1906_77812_spawn.go": spawn, "notes.zip": "",
			},
			[]string{
				"canvas/1906 spawn[spawn.go<spawn.go ] ",
				"canvas/1042 late spawn[spawn.go<spawn-1.go ] deadlock[dine.go<dine.go ] ",
				"folder/notes notes.zip is empty: hand it in again",
			},
		},
		"moodle": {
			map[string]string{
				"Ada Lovelace_3127_assignsubmission_file/spawn.go": spawn, "Grace M_Hopper_3128_assignsubmission_file_/x/spawn.go": spawn,
				"Alan Turing_3129_assignsubmission_file_spawn.go": spawn,
			},
			[]string{
				"moodle/3127 spawn[spawn.go<spawn.go ] ",
				"moodle/3129 spawn[spawn.go<spawn.go ] ",
				"moodle/3128 spawn[spawn.go<x/spawn.go ] ",
			},
		},
		"gradescope": {
			map[string]string{
				"assignment_7_export/submission_metadata.yml": "submission_1:\n  :submitters:\n  - :name: Ada\n    :sid: '0815'\n  - :name: Grace\n    :email: g@x\n  :created_at: 2026-11-02 09:14:55.120 Z\nsubmission_9:\n  :submitters: []\n",
				"assignment_7_export/submission_1/spawn.go":   spawn, "assignment_7_export/submission_2/spawn.go": spawn,
			},
			[]string{
				"gradescope/0815 gradescope/ 09:14 spawn[spawn.go<spawn.go ] ",
				"spawn[spawn.go<spawn.go ] submission_metadata.yml says nothing of it",
				"submission_metadata.yml names it, and it is not there: download the export again",
			},
		},
	} {
		dir := t.TempDir()
		for path, text := range row.files {
			path = filepath.Join(dir, path)
			require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
			require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		}
		all, err := Read(dir, katas)
		require.NoError(t, err, name)
		var got []string
		for _, s := range all {
			got = append(got, tell(s))
		}
		assert.Equal(t, row.want, got, name)
	}
}

type entry struct {
	name, text string
	link       bool
}

func zipped(t *testing.T, entries ...entry) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		h.SetMode(0o644)
		if e.link {
			h.SetMode(os.ModeSymlink | 0o777)
		}
		w, err := z.CreateHeader(h)
		require.NoError(t, err)
		_, err = w.Write([]byte(e.text))
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	return b.Bytes()
}

func tarred(t *testing.T, entries ...entry) []byte {
	var b bytes.Buffer
	g := gzip.NewWriter(&b)
	w := tar.NewWriter(g)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Mode: 0o644, Size: int64(len(e.text)), Typeflag: tar.TypeReg}
		if e.link {
			h = &tar.Header{Name: e.name, Linkname: e.text, Typeflag: tar.TypeSymlink}
		}
		require.NoError(t, w.WriteHeader(h))
		if !e.link {
			_, err := w.Write([]byte(e.text))
			require.NoError(t, err)
		}
	}
	require.NoError(t, w.Close())
	require.NoError(t, g.Close())
	return b.Bytes()
}

// What an archive may do to the grader, or to another's submission: nothing. Each is read
// from a folder in which it lies alone.
func TestArchives(t *testing.T) {
	good := entry{name: "work/spawn.go", text: "package spawn\n"}
	big := strings.Repeat("\x00", 3<<20)
	var many []entry
	for i := range maxEntries + 1 {
		many = append(many, entry{name: fmt.Sprint("f", i)})
	}
	deep := strings.Repeat("d/", maxDepth+2) + "spawn.go"
	var bomb bytes.Buffer
	g, err := gzip.NewWriterLevel(&bomb, gzip.BestSpeed)
	require.NoError(t, err)
	w := tar.NewWriter(g)
	require.NoError(t, w.WriteHeader(&tar.Header{Name: "zeros", Size: maxStream + 1<<20, Typeflag: tar.TypeReg}))
	for range maxStream>>20 + 1 {
		_, err := w.Write(make([]byte, 1<<20))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	require.NoError(t, g.Close())
	whole := zipped(t, good)
	const ok = "folder/x spawn[spawn.go<work/spawn.go ] "
	for _, row := range []struct {
		name string
		file []byte
		want string
	}{
		{"x.zip", zipped(t, good, entry{name: "__MACOSX/work/._spawn.go", text: "\x00\x05"}), ok},
		{"x.tar.gz", tarred(t, entry{name: "./work/spawn.go", text: good.text}), ok},
		{"x.zip", tarred(t, good), ok}, // the name lies
		{"x.zip", zipped(t, good, entry{name: "l.go", text: "/etc/passwd", link: true}), ok + `"l.go" is a link and was left out`},
		{"x.tgz", tarred(t, good, entry{name: "l.go", text: "/etc/passwd", link: true}), ok + `"l.go" is a link and was left out`},
		{"x.zip", zipped(t, good, entry{name: "in.zip", text: "PK"}), ok + `"in.zip" is an archive inside an archive and was not opened`},
		{"x.zip", zipped(t, good, entry{name: "zeros", text: big}), ok}, // never unpacked
		{"x.zip", zipped(t, entry{name: "spawn.go", text: big}), "x.zip: spawn.go is longer than 1024 KiB"},
		{"x.zip", zipped(t, good, entry{name: "../../x.go"}), `x.zip: the archive names a place outside itself: "../../x.go"`},
		{"x.zip", zipped(t, entry{name: `..\x.go`}), `x.zip: the archive names a place outside itself: "..\\x.go"`},
		{"x.tar.gz", tarred(t, entry{name: "/etc/x.go"}), `x.tar.gz: the archive names a place outside itself: "/etc/x.go"`},
		{"x.zip", zipped(t, entry{name: deep}), "x.zip: its folders are nested more than 24 deep"},
		{"x.zip", zipped(t, entry{name: strings.Repeat("n", 300) + ".go"}), "x.zip: a name in it is longer than 255 bytes"},
		{"x.zip", zipped(t, many...), "x.zip: it holds more than 10000 files and folders"},
		{"x.tar.gz", bomb.Bytes(), "x.tar.gz: it unpacks to more than 128 MiB"},
		{"x.zip", whole[:len(whole)-30], "x.zip: the zip is damaged"},
		{"x.zip", []byte("not a zip"), "x.zip is neither a .zip nor a .tar.gz"},
		{"x.tar.gz", tarred(t, good)[:60], "x.tar.gz: the .tar.gz is damaged"},
	} {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, row.name), row.file, 0o600))
		all, err := Read(dir, katas)
		require.NoError(t, err)
		require.Len(t, all, 1)
		assert.Contains(t, tell(all[0]), row.want)
		if row.want == ok {
			assert.Equal(t, ok, tell(all[0]))
		}
	}
}

// Links and pipes in a class's folder lead nowhere, and hold nobody up.
func TestFolders(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(t.TempDir(), "spawn.go")
	require.NoError(t, os.WriteFile(secret, []byte("package spawn\n"), 0o600))
	for _, d := range []string{"a", "b", "d"} {
		require.NoError(t, os.Mkdir(filepath.Join(dir, d), 0o700))
	}
	require.NoError(t, os.Symlink(secret, filepath.Join(dir, "a", "spawn.go")))
	require.NoError(t, unix.Mkfifo(filepath.Join(dir, "b", "spawn.go"), 0o600))
	require.NoError(t, os.Symlink(filepath.Dir(secret), filepath.Join(dir, "c")))
	require.NoError(t, os.Symlink("..", filepath.Join(dir, "d", "katas")))
	all, err := Read(dir, katas)
	require.NoError(t, err)
	require.Len(t, all, 4)
	for i, what := range []string{
		"folder/a spawn.go is a link and was left out", "folder/b spawn.go is a named pipe and was left out",
		"folder/c c is a link: hand in a folder", "folder/d katas is a link and was left out",
	} {
		assert.Contains(t, tell(all[i]), what)
		assert.NotEmpty(t, all[i].Broken)
	}
}

// Of a folder that cannot be read, that is told, and nothing of the others.
func TestUnreadable(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("not checked as root, who reads everything")
	}
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "a"), 0))
	all, err := Read(dir, katas)
	require.NoError(t, err)
	require.Len(t, all, 1)
	assert.Contains(t, all[0].Broken, "permission denied")
}

func TestNoFolder(t *testing.T) {
	dir := t.TempDir()
	_, err := Read(filepath.Join(dir, "none"), katas)
	assert.ErrorContains(t, err, "no such file")
	_, err = Read(dir, katas)
	assert.ErrorContains(t, err, "holds no submission")
	for i := range 200 {
		require.NoError(t, os.Mkdir(filepath.Join(dir, fmt.Sprint(i)), 0o700))
	}
	all, err := Read(dir, katas)
	require.NoError(t, err)
	assert.Len(t, all, 200)
	assert.Equal(t, "it holds no Go file that belongs to a kata", all[0].Broken)
}
