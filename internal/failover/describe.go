package failover

import (
	"fmt"
	"strings"
	"time"

	"github.com/availabilitygroup/ag/internal/record"
)

// The canonical text forms: one line for each value, the same for the same
// value, in the words of the protocol. Scripts, the simulator and debug logs
// share them, so that a log reads like a script.

// DescribeInput returns in as one line.
func DescribeInput(in Input) string {
	switch in := in.(type) {
	case Tick:
		return "tick"
	case ReadDone:
		return opText("read-done", in.Op) + " " + describeRead(in)
	case WriteDone:
		return opText("write-done", in.Op) + " " + in.End.String() + because(in.Problem)
	case Received:
		return fmt.Sprintf("received conn=%d from=%s %s", in.Conn, in.From, DescribeMessage(in.Message))
	case Answered:
		return opText("answered", in.Op) + " from=" + in.From + " " + answerText(in)
	case DemoteDone:
		return opText("demote-done", in.Op)
	case PromoteDone:
		if in.Veto != "" {
			return opText("promote-done", in.Op) + " vetoed" + because(in.Veto)
		}
		return opText("promote-done", in.Op) + " agreed"
	case Do:
		return fmt.Sprintf("do id=%d %s", in.ID, describeRequest(in.Request))
	case Forget:
		return fmt.Sprintf("forget id=%d", in.ID)
	case Look:
		return "look"
	case Health:
		return healthText(in.Healthy, in.Problem)
	case Skew:
		return fmt.Sprintf("skew peer=%s ahead=%v", in.Peer, in.Ahead)
	case Stop:
		return "stop"
	}
	return "nothing"
}

// DescribeEffect returns e as one line.
func DescribeEffect(e Effect) string {
	switch e := e.(type) {
	case Read:
		return opText("read", e.Op) + mark(" host", e.Host) + fmt.Sprintf(" within=%v", e.Within)
	case Write:
		return opText("write", e.Op) + " " + DescribeRecord(e.Record) + mark(" host-absent", e.HostAbsent) + fmt.Sprintf(" within=%v", e.Within)
	case Send:
		return opText("send", e.Op) + fmt.Sprintf(" to=%s %s within=%v", e.To.ID, DescribeMessage(e.Message), e.Within)
	case Reply:
		return fmt.Sprintf("reply conn=%d %s", e.Conn, DescribeMessage(e.Message))
	case Demote:
		return opText("demote", e.Op) + fmt.Sprintf(" term=%d cause=%s next=%s until=%v", e.Term, e.Cause, orNone(e.Next), e.Until)
	case Promote:
		return opText("promote", e.Op) + fmt.Sprintf(" term=%d cause=%s previous=%s within=%v", e.Term, e.Cause, orNone(e.Previous), e.Within)
	case Finish:
		return fmt.Sprintf("finish id=%d %s", e.ID, verdictText(e.Code, e.Text))
	}
	return "nothing"
}

// DescribeMessage returns m as one line.
func DescribeMessage(m Message) string {
	switch m := m.(type) {
	case Heartbeat:
		return fmt.Sprintf("heartbeat group=%s run=%s term=%d seq=%d", m.Group, m.Run, m.Term, m.Seq)
	case Query:
		return "query group=" + orNone(m.Group) + mark(" fresh", m.Fresh)
	case Told:
		return "told group=" + orNone(m.Group)
	case Ask:
		return "ask group=" + orNone(m.Group) + " " + describeRequest(m.Request)
	case Report:
		return describeReport(m)
	case Verdict:
		return "verdict " + verdictText(m.Code, m.Text)
	}
	return "nothing"
}

// DescribeRecord returns r as one line. The time of the write is left out: it
// is for people, and the line has its own.
func DescribeRecord(r record.Record) string {
	text := fmt.Sprintf("record group=%s term=%d seq=%d nonce=%s primary=%s run=%s by=%s w=%v r=%v c=%v ttl=%v",
		orNone(r.Group), r.Term, r.Seq, orNone(r.Nonce), orNone(r.Primary), orNone(r.Run), orNone(r.By),
		r.AllowedAbsence, r.ReportInterval, r.CheckInterval, r.TTL)
	text += mark(" paused", r.Paused) + mark(" dissolved", r.Dissolved) + " members="
	var members []string
	for _, m := range r.Members {
		members = append(members, describeMember(m))
	}
	return text + orNone(strings.Join(members, ",")) + mark(" extra="+strings.Join(r.Extra, ","), len(r.Extra) > 0)
}

// describeMember marks what sets a member apart: a+ is joining, a! can never
// be Primary.
func describeMember(m record.Member) string {
	return m.ID + mark("+", m.Joining) + mark("!", !m.Eligible())
}

func describeRead(in ReadDone) string {
	if in.Problem != "" {
		return "failed" + because(in.Problem)
	}
	text := in.Seen.Found.String()
	switch in.Seen.Found {
	case Present:
		text += " " + DescribeRecord(in.Seen.Record)
	case Unusable:
		text += because(in.Seen.Problem)
	case Unread, Absent:
	}
	if in.Seen.HostRead {
		text += " host=" + orNone(strings.Join(in.Seen.Host, ","))
	}
	return text
}

func answerText(in Answered) string {
	if in.Problem != "" {
		return "failed" + because(in.Problem)
	}
	return DescribeMessage(in.Message)
}

func describeReport(r Report) string {
	text := fmt.Sprintf("report group=%s run=%s term=%d seq=%d primary=%s role=%s promise=%v",
		orNone(r.Group), r.Run, r.Term, r.Seq, orNone(r.Primary), r.Role, r.Promise)
	text += mark(" unhealthy", !r.Healthy) + mark(" unread", !r.Read)
	if r.PromisedTo != "" {
		text += fmt.Sprintf(" promised=%s/%s ago=%v", r.PromisedTo, r.PromisedRun, r.PromisedAgo)
	}
	return text
}

func describeRequest(r Request) string {
	part := func(key string, d time.Duration) string { return mark(fmt.Sprintf(" %s=%v", key, d), d != 0) }
	return string(r.Verb) + mark(" target="+r.Target, r.Target != "") + mark(" group="+r.Group, r.Group != "") +
		mark(" self="+r.Self.ID, r.Self.ID != "") + mark(" adopt", r.Adopt) +
		part("w", r.Timing.W) + part("r", r.Timing.R) + part("c", r.Timing.C) + part("ttl", r.Timing.TTL) +
		because(r.Reason)
}

func verdictText(code Code, text string) string {
	if code == "" {
		return "done"
	}
	return "refused " + string(code) + because(text)
}

func healthText(healthy bool, problem string) string {
	if healthy {
		return "healthy"
	}
	return "unhealthy" + because(problem)
}

// String returns the word for what was found.
func (f Found) String() string {
	switch f {
	case Absent:
		return "absent"
	case Present:
		return "present"
	case Unusable:
		return "unusable"
	case Unread:
	}
	return "unread"
}

// String returns the word for how a write ended.
func (e End) String() string {
	switch e {
	case Applied:
		return "applied"
	case Conflicted:
		return "conflicted"
	case Refused:
		return "refused"
	case Unknown:
	}
	return "unknown"
}

func opText(what string, op uint64) string { return fmt.Sprintf("%s op=%d", what, op) }

// because appends a text that came from elsewhere, as the last thing of a line
// and without line breaks.
func because(text string) string {
	if text == "" {
		return ""
	}
	return ": " + strings.Join(strings.Fields(text), " ")
}

func mark(text string, on bool) string {
	if on {
		return text
	}
	return ""
}

// orNone writes what is empty as the record does.
func orNone(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
