package rfc2136

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/miekg/dns"
)

// failure begins the error of an exchange. What to decide by, the operation and
// the name are for the caller to add.
func (s *Store) failure(t target, out outcome) *ServerError {
	e := &ServerError{
		Server: out.server, Zone: trimDot(t.zone),
		Rcode: NoAnswer, Copies: out.copies, Err: out.err,
	}
	if out.answer == nil {
		e.Advice = s.adviceWithoutAnswer(out)
		return e
	}
	e.Rcode, e.TSIGError = out.answer.Rcode, out.answer.tsigError()
	if server, refused := out.answer.badTime(); refused {
		e.Skew = s.clock.measured()
		e.Advice = fmt.Sprintf("the server's clock says %s and is %s this host's, and TSIG allows %s: set the clocks",
			server.UTC().Format(time.RFC3339), aheadOf(e.Skew), s.fudge)
		return e
	}
	e.Advice = adviceFor(e.Rcode, e.Zone)
	return e
}

func aheadOf(skew time.Duration) string {
	if skew < 0 {
		return (-skew).Round(time.Second).String() + " behind"
	}
	return skew.Round(time.Second).String() + " ahead of"
}

// adviceFor says what a verified response code means for an operator.
func adviceFor(rcode int, zone string) string {
	switch rcode {
	case dns.RcodeRefused:
		return "the server's policy does not allow this key to do this, or it does not serve the zone to us, or the zone is frozen, or the server is a secondary"
	case dns.RcodeNotAuth:
		return fmt.Sprintf("the server is not the primary of the zone %s: check server and zone", zone)
	case dns.RcodeNotZone:
		return fmt.Sprintf("the server has the name in another zone than %s: check zone", zone)
	case dns.RcodeNotImplemented:
		return "the server does not take UPDATE (RFC 2136)"
	case dns.RcodeFormatError:
		return "the server does not understand the message"
	case dns.RcodeServerFailure:
		return "the server failed: its zone may be loading or not loaded, or its database busy"
	}
	return ""
}

// adviceWithoutAnswer says what is probably wrong if nothing could be
// verified. What messages said that are no answer may be wrong or forged.
func (s *Store) adviceWithoutAnswer(out outcome) string {
	said := out.claim
	switch {
	case !said.made && (errors.Is(out.err, context.Canceled) || errors.Is(out.err, ErrClosed)):
		return "" // nobody has waited for an answer
	case !said.made && out.copies == 0:
		return "check that the server is there, and that this host may connect to it"
	case !said.made:
		return "no answer came: check that the server is there; some servers say nothing when they have too much to do"
	}
	return fmt.Sprintf("a message that cannot be verified said %s: %s", said, s.guess(said))
}

// guess is what servers mean by an answer that they do not, or cannot, sign.
func (s *Store) guess(said claim) string {
	key := fmt.Sprintf("key %s, %s", trimDot(s.key.name), trimDot(s.key.algorithm))
	switch {
	case said.tsigError == dns.RcodeBadKey:
		return "probably the server does not know " + key + ", or (Knot) does not allow this key to do this: check tsig_name, tsig_algorithm and its policy"
	case said.tsigError == dns.RcodeBadSig:
		return "probably its secret for " + key + " is another one: check tsig_secret"
	case said.tsigError == dns.RcodeBadTime:
		return "probably the clocks differ too much, and the secret for " + key + " may be another one, too"
	case said.signed:
		return "probably something on the way changes messages, or its secret for " + key + " is another one"
	case said.rcode == dns.RcodeRefused:
		return "probably " + key + ", its secret, the policy or the clock is wrong (PowerDNS does not tell them apart), or the server does not have the zone"
	case said.rcode == dns.RcodeNotAuth:
		return "probably the server is not the primary of the zone, or " + key + ", its secret or the clock is wrong (PowerDNS)"
	case said.rcode == dns.RcodeNotImplemented:
		return "probably the server does not take UPDATE (RFC 2136)"
	case said.rcode == dns.RcodeFormatError:
		return "probably the server does not understand the message, or takes no datagram of that size"
	}
	return "the server, or whoever answers in its place, does not sign with " + key
}
