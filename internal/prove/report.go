package main

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"
)

// report is a whole run.
type report struct {
	date    time.Time
	command string
	took    time.Duration
	parts   []part
}

// holds tells whether nothing has failed.
func (r *report) holds() bool {
	return len(r.parts) > 0 && !slices.ContainsFunc(r.parts, func(x part) bool { return x.status() == broken })
}

// markdown is the report as it stands in the repository.
func (r *report) markdown() string {
	var b strings.Builder
	b.WriteString("# Proof\n\n")
	fmt.Fprintf(&b, "Made on %s by `%s` in %v, on %d cores with %s on %s/%s.\n\n",
		r.date.UTC().Format(time.DateOnly), r.command, r.took.Round(time.Second),
		runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	rows := [][]string{{"section", "result", "what came of it", "time"}}
	for _, x := range r.parts {
		rows = append(rows, []string{x.section.title, mark(x.status()), x.summary(), seconds(x.took)})
	}
	b.WriteString(table(rows))
	for _, x := range r.parts {
		b.WriteString("\n" + x.markdown())
	}
	return b.String()
}

// markdown is a section of the report.
func (r *part) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s\n\n%s\n", r.section.title, r.section.shows)
	switch {
	case len(r.rows) == 0:
		b.WriteString("\nNothing was run.\n")
	case r.section.list:
		b.WriteString("\n" + table(r.listed()))
	default:
		b.WriteString("\n" + table(r.columns()))
	}
	for _, x := range r.rows {
		if x.status == skipped {
			fmt.Fprintf(&b, "\n**Skipped:** %s: %s.\n", x.name, strings.TrimSuffix(x.note, "."))
		}
	}
	if r.extra != "" {
		b.WriteString("\n" + r.extra)
	}
	return b.String()
}

// columns has a row for each test and a column for each kind of figure.
func (r *part) columns() [][]string {
	var keys []string
	for _, x := range r.rows {
		for _, f := range x.figures {
			if !slices.Contains(keys, f.key) {
				keys = append(keys, f.key)
			}
		}
	}
	head := append([]string{"", "result"}, keys...)
	rows := [][]string{append(head, "time")}
	for _, x := range r.rows {
		cells := []string{x.name, mark(x.status)}
		for _, key := range keys {
			cells = append(cells, x.figure(key))
		}
		rows = append(rows, append(cells, seconds(x.took)))
	}
	return rows
}

// figure is all that a test has told under that key.
func (x *row) figure(key string) string {
	var values []string
	for _, f := range x.figures {
		if f.key == key {
			values = append(values, f.value)
		}
	}
	return strings.Join(values, "; ")
}

// listed has a row for each figure.
func (r *part) listed() [][]string {
	rows := [][]string{{"", "result", "measured"}}
	for _, x := range r.rows {
		if len(x.figures) == 0 {
			rows = append(rows, []string{x.name, mark(x.status), ""})
		}
		for _, f := range x.figures {
			rows = append(rows, []string{strings.ReplaceAll(f.key, "-", " "), mark(x.status), f.value})
		}
	}
	return rows
}

// mark has what is not as it should be stand out.
func mark(s status) string {
	if s == held {
		return string(s)
	}
	return "**" + string(s) + "**"
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

// table writes rows, the first one its head, as a Markdown table.
func table(rows [][]string) string {
	var b strings.Builder
	for i, cells := range rows {
		for _, c := range cells {
			c = strings.NewReplacer("|", `\|`, "\n", " ").Replace(c)
			b.WriteString("| " + c + " ")
		}
		b.WriteString("|\n")
		if i == 0 {
			b.WriteString(strings.Repeat("| --- ", len(cells)) + "|\n")
		}
	}
	return b.String()
}
