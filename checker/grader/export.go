package main

import (
	"bytes"
	"path"
	"strings"
	"time"

	"prokata/checker/internal/class/book"
	"prokata/checker/internal/class/page"
	"prokata/checker/internal/judge/formats"
)

// exports are the class's page, the files for other programs, and for each student a page
// to hand back and Gradescope's results.
func exports(c *book.Class, start time.Time) (map[string][]byte, error) {
	files := map[string][]byte{}
	var report bytes.Buffer
	if err := page.Class(&report, c); err != nil {
		return nil, err
	}
	files["report.html"] = report.Bytes()
	all := formats.Check{Seed: c.Seed, Start: start}
	for _, s := range c.Students {
		src := formats.Source{Name: s.Key}
		for _, g := range s.Grades {
			if g.Verdict != nil {
				src.Katas = append(src.Katas, *g.Verdict)
			}
		}
		if s.From == "" {
			continue
		}
		var own bytes.Buffer
		if err := page.Student(&own, c, s); err != nil {
			return nil, err
		}
		files[path.Join("students", fileName(s.Key), "report.html")] = own.Bytes()
		all.Sources = append(all.Sources, src)
		var b bytes.Buffer
		if err := formats.Gradescope(&b, formats.Check{Seed: c.Seed, Start: start, Sources: []formats.Source{src}}); err != nil {
			return nil, err
		}
		files[path.Join("students", fileName(s.Key), "results.json")] = b.Bytes()
	}
	for name, write := range map[string]string{"junit.xml": "junit", "ctrf.json": "ctrf"} {
		f, err := formats.Find(write)
		if err != nil {
			return nil, err
		}
		var b bytes.Buffer
		if err := f.Write(&b, all); err != nil {
			return nil, err
		}
		files[name] = b.Bytes()
	}
	return files, nil
}

// fileName is a student's key as the name of a file: whatever a roster holds, it stays
// below the folder, and two keys never become one.
func fileName(key string) string {
	var b strings.Builder
	for _, c := range []byte(key) {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '@', c == '.' && b.Len() > 0:
			b.WriteByte(c)
		default:
			b.WriteString("_" + strings.ToUpper(string("0123456789abcdef"[c>>4])) + string("0123456789abcdef"[c&15]))
		}
	}
	return b.String()
}
