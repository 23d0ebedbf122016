package httpapi

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/dnsstore"
)

// refusal is an error with the status it is answered with.
type refusal struct {
	status int
	reason string // a word for programs
	text   string // for people: what is wrong, and what to do
	fields []availability.FieldError
}

// Error returns the text.
func (r *refusal) Error() string { return r.text }

// problem is the body of an error: BlueCat Gateway's form, with our details
// beside its log_context.
type problem struct {
	Code    string  `json:"code"`
	Details details `json:"details"`
	Message string  `json:"message"`
	Status  int     `json:"status"`
}

type details struct {
	LogContext string                    `json:"log_context"`
	Reason     string                    `json:"reason"`
	Fields     []availability.FieldError `json:"fields,omitempty"`
}

// refuse answers and logs why nothing was done.
func (c *call) refuse(ctx context.Context, err error) {
	no, ok := errors.AsType[*refusal](err)
	if !ok {
		no = refusalOf(err)
	}
	attrs := append(c.attrs(), slog.Int("status", no.status), slog.String("reason", no.reason), slog.String("text", no.text))
	if !ok && no.status == http.StatusInternalServerError {
		attrs = append(attrs, slog.String("err", err.Error())) // the text does not tell it
	}
	c.cfg.Logger.LogAttrs(ctx, slog.LevelInfo, "refused", attrs...)
	if no.status == http.StatusServiceUnavailable {
		c.w.Header().Set("Retry-After", "5")
	}
	if isPage(c.r) && c.refusePage(no) == nil {
		return
	}
	c.answer(no.status, problem{
		Code:    strings.ReplaceAll(http.StatusText(no.status), " ", ""),
		Details: details{LogContext: c.user, Reason: no.reason, Fields: no.fields},
		Message: no.text, Status: no.status,
	})
}

// attrs say who asked for what. The query is left out: nobody knows what a
// client puts there.
func (c *call) attrs() []slog.Attr {
	return []slog.Attr{
		slog.String("method", c.r.Method), slog.String("endpoint", below(c.r.URL.Path)),
		slog.String("user", c.user), slog.String("from", c.r.RemoteAddr),
	}
}

// refusalOf is the answer for an error of the group.
func refusalOf(err error) *refusal {
	text := strings.ReplaceAll(err.Error(), "availability: ", "")
	if wrong, ok := errors.AsType[*availability.ConfigError](err); ok {
		return &refusal{
			status: http.StatusBadRequest, reason: "configuration",
			text: text + ". Correct these settings and send them again.", fields: wrong.Fields,
		}
	}
	if _, ok := errors.AsType[*fs.PathError](err); ok {
		return &refusal{
			status: http.StatusInternalServerError, reason: "not_saved",
			text: "What was changed is in force, but could not be saved for the next start. " +
				"Look at the state directory of this node, then ask again for what is missing.",
		}
	}
	for _, d := range decisions() {
		if errors.Is(err, d.err) {
			return &refusal{status: d.status, reason: d.reason, text: text + ". " + d.advice}
		}
	}
	return &refusal{
		status: http.StatusInternalServerError, reason: "internal",
		text: "This cannot be answered, for a reason that is in the log of this node.",
	}
}

// decision is what an error of the group means for a client.
type decision struct {
	err            error
	status         int
	reason, advice string
}

// decisions has the more telling errors first: several may be in one chain.
func decisions() []decision {
	const conflict, unmet, down = http.StatusConflict, http.StatusPreconditionFailed, http.StatusServiceUnavailable
	return []decision{
		{availability.ErrInGroup, conflict, "in_group", "Leave the group first (DELETE group/members), or change its settings with PUT group."},
		{availability.ErrNotInGroup, conflict, "not_in_group", "Create a group (POST group) or join one (PUT group/members) first."},
		{availability.ErrGroupExists, conflict, "group_exists", "Join it with PUT group/members, or choose another group_fqdn."},
		{availability.ErrHostRecordExists, conflict, "host_record_exists", "Delete the addresses, or replace them with POST group?adopt=1."},
		{availability.ErrNoGroup, conflict, "no_group", "Create it with POST group, or correct group_fqdn."},
		{availability.ErrMemberExists, conflict, "member_exists", "Give this node another ID, or remove the lost member with DELETE group/members?id=… at another one."},
		{availability.ErrTooManyMembers, conflict, "too_many_members", "Remove a member first."},
		{availability.ErrNotPrimary, conflict, "not_primary", "Ask the Primary."},
		{availability.ErrUnknownMember, http.StatusNotFound, "unknown_member", "GET group lists the members."},
		{availability.ErrNoTarget, unmet, "no_target", "Bring a member back, or dissolve the group with DELETE group."},
		{availability.ErrBadRequest, http.StatusBadRequest, "bad_request", "Correct the request, or the settings with PUT configuration; asked again as it is, it will be refused again."},
		{availability.ErrPrimaryAlive, unmet, "primary_alive", "Move the role without force."},
		{availability.ErrBusy, down, "busy", "Ask again later."},
		{availability.ErrPrimaryUnreachable, down, "primary_unreachable", "Wait for the takeover, or ask at the Primary."},
		{availability.ErrNotRunning, down, "not_running", "Start the program, or wait until it has started."},
		{dnsstore.ErrRefused, down, "refused", "Look at the DNS server: its log, the TSIG key, and whether it allows updates of the name."},
		{dnsstore.ErrUnfit, down, "unfit", "Use an authoritative server that keeps to RFC 2136."},
		{availability.ErrStoreUnreachable, down, "store_unreachable", "Look at the DNS server, at the way to it and at the record there, then try again."},
		{context.DeadlineExceeded, down, "timeout", "Read the state before asking again."},
		{context.Canceled, down, "canceled", "Read the state before asking again."},
	}
}
