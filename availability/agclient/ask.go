package agclient

import (
	"context"
	"net/http"
	"strconv"
	"sync"
)

// role is what a node says of itself.
type role int

const (
	unclear role = iota // it was not reached, or has no role endpoint
	primary
	other
)

// reply is the end of asking one member.
type reply struct {
	member

	role role
	term uint64 // 0: not said
}

// said is what the members said together.
type said struct {
	best     reply // of those who say that they are Primary
	found    bool  // there is one
	denied   bool  // the node that the record names says that it is not
	answered bool  // somebody has
}

// ask asks all members at once for their role. named is the place of the
// record's Primary. Who says that it is Primary in a term below least does not
// know yet that it is not.
func (c *Client) ask(ctx context.Context, all []member, named place, least uint64) said {
	ctx, cancel := context.WithCancel(ctx)
	replies := make(chan reply, len(all)) // one of each, so that nobody waits
	var askers sync.WaitGroup
	for _, m := range all {
		askers.Go(func() { replies <- c.askOne(ctx, m, least) })
	}
	var s said
	for range all {
		if s.take(<-replies, named, least) {
			break
		}
	}
	cancel()
	askers.Wait()
	return s
}

// take takes one more reply in, and tells whether no other one can matter.
func (s *said) take(r reply, named place, least uint64) (decided bool) {
	s.answered = s.answered || r.role != unclear
	if r.role == primary && r.term > 0 && r.term < least {
		r.role = other
	}
	switch r.role {
	case primary:
		if !s.found || r.term > s.best.term || r.term == s.best.term && r.place == named {
			s.best, s.found = r, true
		}
		return r.term > 0 || r.place == named || named == anywhere
	case other:
		s.denied = s.denied || r.place == named
	case unclear:
	}
	return false
}

// askOne asks one member over a connection of its own: an old one tells nothing
// about how the node is now.
func (c *Client) askOne(ctx context.Context, m member, least uint64) reply {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, m.url(c.cfg.FQDN), http.NoBody)
	if err != nil {
		return reply{member: m}
	}
	if least > 0 {
		request.Header.Set(headerTerm, strconv.FormatUint(least, 10))
	}
	t := c.asker(ctx, m)
	defer t.CloseIdleConnections()
	response, err := t.RoundTrip(request)
	if err != nil {
		return reply{member: m}
	}
	defer response.Body.Close()
	return reply{member: m, role: roleOf(response.StatusCode), term: termOf(response.Header)}
}

func roleOf(status int) role {
	switch status {
	case http.StatusOK:
		return primary
	case http.StatusServiceUnavailable:
		return other
	}
	return unclear
}
