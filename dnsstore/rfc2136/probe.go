package rfc2136

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"time"

	"github.com/availabilitygroup/ag/dnsstore"
)

const (
	// probeRounds is how often a probe starts again because somebody else has
	// changed the name meanwhile.
	probeRounds = 3
	// probeTTL is how long a resolver may keep what a probe has written.
	probeTTL = time.Second
	// cleanTime bounds what a probe does after its context has ended.
	cleanTime = 2 * time.Second
)

// probeAddress is one that nobody has (RFC 5737).
func probeAddress() netip.Addr { return netip.AddrFrom4([4]byte{192, 0, 2, 1}) }

// Probe finds out, before a group depends on it, whether the server is fit to
// be its arbiter at the name fqdn:
//
//   - true conditions hold and false ones do not, for the whole data and for
//     the absence of an RRset;
//   - this key may change TXT, A and AAAA at the name, together;
//   - a change that was confirmed has been made, and is seen at once.
//
// If there is no TXT record at the name, Probe writes one for a moment, of the
// form "ag-probe=…", and if there is no address either the address 192.0.2.1;
// it removes both on condition that they are its own. If there is a TXT
// record, Probe writes what is there once more, on condition that it is there
// unchanged: a group that lives at the name takes no notice, but that a change
// is seen at once cannot be shown. [Store.VerifyWrite] can show it later.
//
// The error is a [*ServerError]. It wraps [ErrUnfit] if the server answered and
// must not be used, with the reason in its text; else it says why the server
// could not be probed. If ctx ends while something of the probe is there, Probe
// takes up to two seconds more to remove it. A message that is still under way
// by then cannot be called back.
func (s *Store) Probe(ctx context.Context, fqdn string) error {
	s.counters.probes.Add(1)
	fail := func(failed *ServerError) error {
		failed.Op, failed.Name = "probe", fqdn
		return failed
	}
	if err := checkName(fqdn); err != nil {
		return fail(invalid("", "", err))
	}
	bounded, end, err := s.begin(ctx)
	if err != nil {
		return fail(&ServerError{Rcode: NoAnswer, Err: because(ErrNotSent, err)})
	}
	defer end()
	if failed := s.probe(bounded, dnsstore.Canonical(fqdn)); failed != nil {
		return fail(failed)
	}
	return nil
}

func (s *Store) probe(ctx context.Context, name string) *ServerError {
	var failed *ServerError
	var before []string
	busy := true // the TXT records were others in each round: a group lives here
	for round := range probeRounds {
		var was present
		if was, failed = s.present(ctx, name); failed != nil {
			return failed
		}
		now := slices.Sorted(slices.Values(was.txt.Data))
		busy = busy && (round == 0 || !slices.Equal(before, now))
		before = now
		if failed = s.probeConditions(ctx, was); failed == nil {
			failed = s.probeWrite(ctx, was)
		}
		if !isConflict(failed) {
			return failed
		}
	}
	if busy {
		return s.probeBusy(ctx, name)
	}
	return s.unfit("a condition that was true a moment ago is false, again and again",
		"find out whether its answers are old, or who else changes "+name)
}

// probeBusy probes a name at which a group writes faster than a round of the
// probe takes. That its writes are seen shows more than ours could; what is
// left is that a false condition does not hold.
func (s *Store) probeBusy(ctx context.Context, name string) *ServerError {
	text, err := s.probeText()
	if err != nil {
		return &ServerError{Rcode: NoAnswer, Err: because(ErrNotSent, err)}
	}
	return s.probeFalse(ctx, dnsstore.RRSet{Key: dnsstore.Key{Name: name, Type: "TXT"}, Data: []string{text}})
}

// present is what is at a name.
type present struct {
	txt, a, aaaa, cname dnsstore.RRSet
}

func (p present) all() []dnsstore.RRSet { return []dnsstore.RRSet{p.txt, p.a, p.aaaa, p.cname} }

// present reads what is at a name. What no condition sees is not there: a
// wildcard answers for a name that does not exist.
func (s *Store) present(ctx context.Context, name string) (present, *ServerError) {
	var sets [4]dnsstore.RRSet
	for i, kind := range [...]string{"TXT", "A", "AAAA", "CNAME"} {
		set, failed := s.lookup(ctx, dnsstore.Key{Name: name, Type: kind})
		if failed == nil && len(set.Data) > 0 {
			set, failed = s.confirm(ctx, set)
		}
		if failed != nil {
			return present{}, failed
		}
		sets[i] = set
	}
	p := present{txt: sets[0], a: sets[1], aaaa: sets[2], cname: sets[3]}
	if len(p.cname.Data) > 0 {
		return present{}, s.unfit("there is a CNAME at "+name, "remove it: no other record can stand beside it")
	}
	return p, nil
}

// probeConditions looks whether conditions hold if and only if they are true.
func (s *Store) probeConditions(ctx context.Context, was present) *ServerError {
	if failed := s.check(ctx, was.all()...); failed != nil {
		return failed
	}
	text, err := s.probeText()
	if err != nil {
		return &ServerError{Rcode: NoAnswer, Err: because(ErrNotSent, err)}
	}
	other := dnsstore.RRSet{Key: was.txt.Key, Data: []string{text}}
	falsehoods := []dnsstore.RRSet{other}
	for _, set := range was.all() {
		if len(set.Data) > 0 {
			falsehoods = append(falsehoods, dnsstore.RRSet{Key: set.Key})
		}
		if len(set.Data) > 1 {
			falsehoods = append(falsehoods, dnsstore.RRSet{Key: set.Key, Data: set.Data[1:]})
		}
	}
	if len(was.txt.Data) > 0 {
		more := dnsstore.RRSet{Key: was.txt.Key, Data: append(slices.Clone(was.txt.Data), text)}
		falsehoods = append(falsehoods, more)
	}
	for _, set := range falsehoods {
		if failed := s.probeFalse(ctx, set); failed != nil {
			return failed
		}
	}
	return nil
}

// probeFalse makes sure that a condition does not hold.
func (s *Store) probeFalse(ctx context.Context, condition dnsstore.RRSet) *ServerError {
	failed := s.check(ctx, condition)
	switch {
	case isConflict(failed):
		return nil
	case failed == nil:
		return s.unfit(fmt.Sprintf("it takes a false condition on the %s records for true", condition.Type),
			"use a server that keeps to the prerequisites of RFC 2136 section 3.2")
	case failed.Rcode != NoAnswer:
		failed.Err = because(ErrUnfit, failed.Err)
		failed.Advice = "this was the answer to a false condition, which should have been NXRRSET or YXRRSET"
	}
	return failed
}

// probeText is a TXT record that is nobody else's.
func (s *Store) probeText() (string, error) {
	var octets [8]byte
	if _, err := io.ReadFull(s.random, octets[:]); err != nil {
		return "", err
	}
	return dnsstore.FormatTXT([]string{"ag-probe=" + hex.EncodeToString(octets[:])}), nil
}

// probeWrite makes a change and looks whether it is seen.
func (s *Store) probeWrite(ctx context.Context, was present) *ServerError {
	if len(was.txt.Data) > 0 {
		_, failed := s.writeAndVerify(ctx, dnsstore.Change{If: was.all(), Set: []dnsstore.RRSet{was.txt, was.a, was.aaaa}})
		return failed
	}
	text, err := s.probeText()
	if err != nil {
		return &ServerError{Rcode: NoAnswer, Err: because(ErrNotSent, err)}
	}
	now := was
	now.txt.Data, now.txt.TTL = []string{text}, probeTTL
	if len(was.a.Data) == 0 && len(was.aaaa.Data) == 0 {
		now.a.Data, now.a.TTL = []string{probeAddress().String()}, probeTTL
	}
	made, failed := s.writeAndVerify(ctx, dnsstore.Change{If: was.all(), Set: []dnsstore.RRSet{now.txt, now.a, now.aaaa}})
	if !made {
		return failed
	}
	cleaned := s.clean(context.WithoutCancel(ctx), was, now)
	if failed != nil {
		return failed
	}
	return cleaned
}

// writeAndVerify makes a change and looks whether it is seen. It tells whether
// something may have been made of it. A conflict after that says that somebody
// else has changed it since.
func (s *Store) writeAndVerify(ctx context.Context, c dnsstore.Change) (made bool, failed *ServerError) {
	u, err := newUpdate(c)
	if err != nil {
		return false, invalid("", "", err)
	}
	if failed := s.update(ctx, u); failed != nil {
		return !nothingChanged(failed), failed
	}
	return true, s.verify(ctx, u.change)
}

// nothingChanged tells whether an error says so for certain.
func nothingChanged(failed *ServerError) bool {
	return errors.Is(failed, dnsstore.ErrConflict) || errors.Is(failed, dnsstore.ErrRefused) || errors.Is(failed, ErrNotSent)
}
