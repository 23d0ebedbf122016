//go:build linux

package httpapi_test

import (
	"net/http"
	"strings"
	"testing"
)

const headline = `document.getElementById("headline").textContent`

// The page in a browser: it shows the role, follows a failover without being
// loaded again, and says when the node has gone.
func TestStatus_Browser(t *testing.T) {
	t.Parallel()
	b := newBrowser(t)
	l := newLiveLab(t, everybody)
	first, second := l.pair()
	p := b.open(second.page, 1100, 900, false)
	p.await("the Primary is shown", headline+` === "a is Primary"`)
	p.await("the page is live", `document.getElementById("fresh").classList.contains("live")`)
	p.eval(`window.mark = "never loaded again"`)

	p.eval(`document.getElementById("preflight").click()`)
	p.await("the preflight has an answer", `document.querySelectorAll("#report li").length > 0`)
	if got := p.eval(`document.querySelector("#report .total").textContent`); got != "A failover would work now." {
		t.Errorf("the preflight says %q: %s", got, p.eval(`document.getElementById("report").innerText`))
	}

	status, _, text := byGo(t, http.MethodPut, second.page+"api/v1/failover", "", "", "")
	if status != http.StatusOK {
		t.Fatalf("failover: %d %s", status, text)
	}
	p.await("the failover is shown", headline+` === "This node, b, is Primary"`)
	p.await("it is told to those who hear the page", `document.getElementById("spoken").textContent.includes("This node, b, is Primary")`)
	p.await("it is in the title", `document.title.startsWith("Primary · b")`)
	p.await("it is among the events", `document.getElementById("events").textContent.includes("secondary → primary (handover)")`)
	if got := p.eval(`window.mark + " " + document.querySelectorAll("#report li").length`); !strings.HasPrefix(got, "never loaded again ") || strings.HasSuffix(got, " 0") {
		t.Errorf("the page has been loaded again: %q", got)
	}
	if got, want := p.eval(`document.querySelector("#members tbody a").href`), "http://"+strings.TrimPrefix(first.page, "http://"); got != want {
		t.Errorf("the link to the other node is %q, want %q", got, want)
	}
	if problems := b.console(); len(problems) > 0 {
		t.Errorf("the console of the browser shows:\n%s", strings.Join(problems, "\n"))
	}
	second.cutOff()
	p.await("the page says that it is old", `document.getElementById("fresh").textContent.startsWith("This node has not answered for ")`)
}

// It fits a phone, in the dark, without being moved sideways; and what the
// policy forbids does not run.
func TestStatus_BrowserForm(t *testing.T) {
	t.Parallel()
	b := newBrowser(t)
	l := newLiveLab(t, everybody)
	n, _ := l.pair()
	for _, width := range []int{320, 390, 1100} {
		p := b.open(n.page, width, 800, width == 390)
		p.await("the Primary is shown", headline+` === "This node, a, is Primary"`)
		if got := p.eval(`document.documentElement.scrollWidth <= innerWidth`); got != "true" {
			t.Errorf("the page is wider than %d: %s", width, p.eval(`document.documentElement.scrollWidth`))
		}
		if got := p.eval(`getComputedStyle(document.body).backgroundColor`); (got == "rgb(20, 22, 26)") != (width == 390) {
			t.Errorf("the paper is %s at width %d", got, width)
		}
	}
	p := b.open(n.page, 800, 800, false)
	b.must(p.session, "Emulation.setScriptExecutionDisabled", map[string]any{"value": true}, nil)
	b.must(p.session, "Page.navigate", map[string]any{"url": n.page + "?without=script"}, nil)
	p.await("the page is shown without its script", `location.search !== "" && document.readyState === "complete" && `+headline+` === "This node, a, is Primary"`)
	if got := p.eval(`document.getElementById("preflight").hidden + " " + document.getElementById("preflight-link").hidden`); got != "true false" {
		t.Errorf("without the script, hidden are the button and the link: %s", got)
	}
	b.must(p.session, "Emulation.setScriptExecutionDisabled", map[string]any{"value": false}, nil)
	b.must(p.session, "Page.navigate", map[string]any{"url": n.page}, nil)
	p.await("the script runs", `location.search === "" && document.getElementById("preflight").hidden === false`)
	for ms, want := range map[string]string{"0": "0 s", "59999": "59 s", "61000": "1 min 1 s", "7507000": "2 h 5 min", "176400000": "2 d 1 h"} {
		if got := p.eval(`span(` + ms + `)`); got != want {
			t.Errorf("span of %s ms: %q, want %q", ms, got, want)
		}
	}
	if problems := b.console(); len(problems) > 0 {
		t.Errorf("the console of the browser shows:\n%s", strings.Join(problems, "\n"))
	}
	p.eval(`(() => { const s = document.createElement("script"); s.textContent = "window.broken = 1"; document.body.append(s); })()`)
	if got := p.eval(`typeof window.broken`); got != "undefined" {
		t.Errorf("a script in the page has run: %s", got)
	}
}
