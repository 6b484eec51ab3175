package formats

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"prokata/checker/internal/judge/grade"
)

// JUnit XML has no owner; these are the rules of its readers.
//
//   - GitLab (docs.gitlab.com/ci/testing/unit_test_reports): classname is shown as the
//     suite, the same name and classname count once, a file has less than 30 MB.
//   - Jenkins (plugins.jenkins.io/junit): no empty time, no missing classname, no two
//     suites of one name.
//
// A failure's text is capped, and so are all texts together; the headlines are always
// there.
const (
	junitText = 4 << 10
	junitAll  = 20 << 20
)

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Time     string       `xml:"time,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name      string      `xml:"name,attr"`
	Tests     int         `xml:"tests,attr"`
	Failures  int         `xml:"failures,attr"`
	Errors    int         `xml:"errors,attr"`
	Skipped   int         `xml:"skipped,attr"`
	Time      string      `xml:"time,attr"`
	Timestamp string      `xml:"timestamp,attr"`
	Cases     []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string     `xml:"classname,attr"`
	Name    string     `xml:"name,attr"`
	Time    string     `xml:"time,attr"`
	Skipped *junitSaid `xml:"skipped"`
	Failure *junitSaid `xml:"failure"`
	Error   *junitSaid `xml:"error"`
}

type junitSaid struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",chardata"`
}

// JUnit writes a suite for each kata of each source. What the checker could not judge is
// an error, never a failure.
func JUnit(w io.Writer, c Check) error {
	all := junitSuites{Name: "prokata"}
	total, room := 0.0, junitAll
	for _, src := range c.Sources {
		for _, v := range src.Katas {
			s := junitSuite{Name: within(src.Name, v.Name), Timestamp: c.Start.UTC().Format("2006-01-02T15:04:05"), Time: seconds(v.Seconds)}
			for _, t := range v.Tests {
				s.add(v, t)
				if said := s.Cases[len(s.Cases)-1].Failure; said != nil {
					if room -= len(said.Text); room < 0 {
						said.Text = ""
					}
				}
			}
			// What concerns no test must not be lost.
			if whole := of(v, ""); len(whole) > 0 {
				s.Tests++
				s.Failures++
				s.Cases = append(s.Cases, junitCase{Class: s.Name, Name: "(whole program)", Time: "0", Failure: &junitSaid{Message: clean(whole[0].Message), Type: whole[0].Code, Text: clean(cut(text(whole), junitText))}})
			}
			total += v.Seconds
			all.Tests, all.Failures, all.Errors = all.Tests+s.Tests, all.Failures+s.Failures, all.Errors+s.Errors
			all.Suites = append(all.Suites, s)
		}
	}
	all.Time = seconds(total)
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func (s *junitSuite) add(v grade.Kata, t grade.Test) {
	one := junitCase{Class: s.Name, Name: t.Name, Time: seconds(t.Seconds)}
	said := &junitSaid{Message: clean(headline(v, t))}
	s.Tests++
	switch {
	case passed(t):
	case t.Skipped() || t.Verdict == grade.NotStarted:
		one.Skipped = said
		s.Skipped++
	case trouble(v):
		said.Type = string(v.Verdict)
		one.Error = said
		s.Errors++
	default:
		found := of(v, t.Name)
		if said.Type = string(t.Verdict); len(found) > 0 {
			said.Type = found[0].Code
		}
		said.Text = clean(cut(text(found), junitText))
		one.Failure = said
		s.Failures++
	}
	s.Cases = append(s.Cases, one)
}

func within(outer, inner string) string {
	if outer == "" {
		return inner
	}
	return clean(outer) + "." + inner
}

func seconds(x float64) string { return fmt.Sprintf("%.3f", x) }

func millis(x float64) int64 { return int64(x * float64(time.Second/time.Millisecond)) }

// clean takes out what XML 1.0 cannot hold.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n' || r >= 0x20 && r <= 0xD7FF || r >= 0xE000 && r <= 0xFFFD && r != '\uFFFD' || r >= 0x10000:
			return r
		}
		return '?'
	}, s)
}
