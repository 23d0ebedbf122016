package httpapi

import (
	"context"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/availabilitygroup/ag/availability"
)

// failoverBody is what PUT failover takes. BlueCat's takes nothing.
type failoverBody struct {
	To     string `json:"to"`
	Force  bool   `json:"force"`
	Reason string `json:"reason"`
}

func (a *api) failover(ctx context.Context, c *call, _ url.Values) (string, error) {
	var f failoverBody
	if err := c.fill(&f, "to", "force", "reason"); err != nil {
		return "", err
	}
	if wrong := f.mistakes(a.group.GetNodeState().NodeID); len(wrong) > 0 {
		return "", badInput(wrong)
	}
	var opts []availability.FailoverOption
	if f.To != "" {
		opts = append(opts, availability.To(f.To))
	}
	if f.Force {
		opts = append(opts, availability.Force(f.Reason))
	}
	return "Manual failover completed.", a.group.Failover(ctx, opts...)
}

// mistakes are looked for here so that each is named by its key.
func (f failoverBody) mistakes(self string) []availability.FieldError {
	var found []availability.FieldError
	wrong := func(field, problem string) {
		found = append(found, availability.FieldError{Field: field, Problem: problem})
	}
	if f.Force && f.To != "" && f.To != self {
		wrong("to", "must be this node, "+self+": force is asked of the node that shall take over")
	}
	switch problem := checkText(f.Reason); {
	case f.Force && strings.TrimSpace(f.Reason) == "":
		wrong("reason", "is needed with force: say how it is known that the Primary is dead")
	case !f.Force && f.Reason != "":
		wrong("reason", "goes with force; a planned failover needs none")
	case problem != "":
		wrong("reason", problem)
	}
	return found
}

// maxText is long enough for a reason, and fits a log line.
const maxText = 256

// checkText tells what is wrong with a reason, which is logged, told to other
// nodes and shown to people.
func checkText(text string) (problem string) {
	if utf8.RuneCountInString(text) > maxText {
		return "must have at most 256 characters"
	}
	if strings.ContainsFunc(text, unicode.IsControl) {
		return "must have no control characters"
	}
	return ""
}
