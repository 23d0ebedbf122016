package main

import (
	"fmt"
	"os"
	"time"
)

// status is how something ended.
type status string

// The ways to end.
const (
	held    status = "ok"
	broken  status = "FAILED"
	skipped status = "skipped"
)

// part is a section that was run.
type part struct {
	section  section
	rows     []row
	problems []string // outputs of what failed
	extra    string   // Markdown after the table
	says     string   // instead of the number of tests
	took     time.Duration
}

// row is a line of a section's table.
type row struct {
	name    string
	status  status
	took    time.Duration
	figures []figure
	note    string
}

// fail notes that the section does not hold.
func (r *part) fail(text string) { r.problems = append(r.problems, text) }

// inScratch calls do with a folder that is there for as long.
func inScratch(r *part, do func(dir string)) {
	dir, err := os.MkdirTemp("", "prove")
	if err != nil {
		r.fail(err.Error())
		return
	}
	do(dir)
	if err := os.RemoveAll(dir); err != nil {
		r.fail(err.Error())
	}
}

func (r *part) count(s status) int {
	n := 0
	for _, x := range r.rows {
		if x.status == s {
			n++
		}
	}
	return n
}

// status is that of the section: it is skipped if all of it was.
func (r *part) status() status {
	switch {
	case len(r.problems) > 0 || r.count(broken) > 0 || len(r.rows) == 0:
		return broken
	case r.count(held) == 0:
		return skipped
	}
	return held
}

// summary is the section in a few words.
func (r *part) summary() string {
	text := r.says
	if text == "" {
		text = fmt.Sprintf("%d of %d tests passed", r.count(held), len(r.rows)-r.count(skipped))
	}
	if n := r.count(skipped); n > 0 {
		text += fmt.Sprintf(", %d SKIPPED", n)
	}
	return text
}
