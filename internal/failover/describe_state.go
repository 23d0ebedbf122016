package failover

import (
	"fmt"
	"strings"
	"time"
)

// DescribeState returns what a machine knows and waits for as one line. The
// instants are those of the machine's own clocks, in milliseconds: hold for
// what it may do itself, wait for what others may do.
func DescribeState(m *Machine) string {
	k := &m.known
	ms := func(at time.Duration) time.Duration { return at.Round(time.Millisecond) }
	parts := []string{
		fmt.Sprintf("%s hold=%v wait=%v", m.role, ms(m.now.Hold), ms(m.now.Wait)),
		fmt.Sprintf("read=%d/%d heard=%d/%d quiet=%v", k.read.term, k.read.seq, k.heard.term, k.heard.seq, ms(k.quiet)),
	}
	if m.auth.held {
		parts = append(parts, fmt.Sprintf("authority term=%d seq=%d stop=%v until=%v",
			m.auth.term, m.auth.seq, ms(m.auth.stop), ms(m.auth.until))+mark(" hidden", !m.auth.shown))
	}
	if m.promise.given {
		parts = append(parts, fmt.Sprintf("promised %s/%s until=%v", m.promise.to, m.promise.run, ms(m.promise.at+m.promise.length)))
	}
	if len(m.tries) > 0 {
		parts = append(parts, fmt.Sprintf("writes of unknown end %d", len(m.tries)))
	}
	if len(m.tasks) > 0 {
		parts = append(parts, fmt.Sprintf("task %s step=%d of %d", m.tasks[0].req.Verb, m.tasks[0].step, len(m.tasks)))
	}
	if marks := m.marks(); marks != "" {
		parts = append(parts, marks)
	}
	return strings.Join(parts, "; ")
}

// marks are what is out of the ordinary.
func (m *Machine) marks() string {
	return strings.TrimPrefix(mark(" unread", !m.known.fresh)+mark(" absent", m.known.absent)+mark(" older", m.known.older)+
		mark(" unhealthy", !m.healthy)+mark(" cooling", m.cooling())+
		mark(" demoting", m.demotion.op != 0)+mark(" stopping", m.stopping), " ")
}
