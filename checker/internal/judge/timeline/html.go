package timeline

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the page's style and script
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"strings"
)

//go:embed assets/page.css
var style string

// The script in the order in which its parts need each other.
var (
	//go:embed assets/lanes.js
	lanesJS string
	//go:embed assets/graph.js
	graphJS string
	//go:embed assets/page.js
	pageJS string
)

// most is how large a page may become, in bytes. Tests that hold no finding are left out
// of a larger one, from the last.
const most = 1 << 20

// HTML writes one page that needs nothing beside itself. Everything that a program could
// have written stands in it as JSON, in which package json has escaped what would end the
// element; the script shows it as text. A policy in the page's head lets nothing else run
// and nothing be loaded.
func (p Page) HTML(w io.Writer) error {
	data, err := p.fit(most - len(style) - len(lanesJS) - len(graphJS) - len(pageJS) - 16<<10)
	if err != nil {
		return fmt.Errorf("draw the timeline: %w", err)
	}
	var text bytes.Buffer
	if len(p.Tests) > 0 {
		p.Tests[p.Begin].Text(&text, 80)
	}
	script := "'use strict';\n" + lanesJS + graphJS + pageJS
	_, err = fmt.Fprintf(w, skeleton, sum(script), sum(style), html.EscapeString(p.Kata), style, html.EscapeString(text.String()), data, script)
	return err
}

// fit is the page as JSON, within so many bytes.
func (p Page) fit(bytes int) ([]byte, error) {
	for left := len(p.Tests); ; left-- {
		data, err := json.Marshal(p)
		if err != nil || len(data) <= bytes || left == 0 {
			return data, err
		}
		tests := append([]Test(nil), p.Tests...)
		t := &tests[left-1]
		t.Lanes = append([]Lane{}, t.Lanes...)
		for i := range t.Lanes {
			t.Lanes[i].Doings = nil
		}
		if len(t.Pins) == 0 {
			t.Lanes, t.Holds = []Lane{}, nil
		}
		t.Note = "the page would have become too large: draw this test alone (--test)"
		p.Tests = tests
	}
}

// sum is how a page's policy names what may stand in it.
func sum(text string) string {
	s := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(s[:])
}

var skeleton = strings.TrimLeft(`
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src '%s'; style-src '%s'">
<title>%s: timeline</title>
<style>%s</style>
</head>
<body>
<header><h1 id="title"></h1><p id="facts"></p></header>
<nav><label for="tests">test</label> <select id="tests"></select>
<label for="search">find</label> <input id="search" type="search" placeholder="pid or name" autocomplete="off">
<span class="keys"><button id="in" title="zoom in (+)">+</button><button id="out" title="zoom out (-)">&minus;</button><button id="all" title="show all (0)">all</button></span></nav>
<main>
<section id="picture" aria-label="processes over time"><p id="note" role="status"></p><svg id="lanes" tabindex="0" role="application" aria-label="timeline: arrows move, plus and minus zoom, j and k choose a process, n the next finding"></svg>
<noscript><pre>%s</pre></noscript></section>
<aside><section id="findings" aria-label="findings"></section><section id="chosen" aria-live="polite"></section><section id="legend" aria-label="legend"></section></aside>
<section id="graph" aria-label="who waits for whom"></section>
</main>
<div id="tip" hidden></div>
<script type="application/json" id="run">%s</script>
<script>%s</script>
</body>
</html>
`, "\n")
