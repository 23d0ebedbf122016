package agclient

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/availabilitygroup/ag/internal/record"
)

// place is where a node is: its addresses, or its own name, with blanks
// between. The empty place is wherever the resolver says that the group is.
type place string

// anywhere is the place of a Primary of which nothing is known.
const anywhere place = ""

func (p place) hosts() []string { return strings.Fields(string(p)) }

// placeOf joins addresses that are not all invalid.
func placeOf(addrs ...netip.Addr) place {
	var hosts []string
	for _, a := range addrs {
		if a.IsValid() {
			hosts = append(hosts, a.String())
		}
	}
	return place(strings.Join(hosts, " "))
}

// member is where a node can be asked for its role.
type member struct {
	place  place
	scheme string
	port   string
	path   string // of the role endpoint
}

// parseMember reads an element of Config.Members. An error does not have the
// text if that could be a password.
func parseMember(text, rolePath string) (member, error) {
	full := text
	if !strings.Contains(text, "://") {
		full = "https://" + text
	}
	u, err := url.Parse(full)
	switch {
	case err != nil:
		return member{}, errors.New("one is no URL")
	case u.User != nil:
		return member{}, fmt.Errorf("%q has a user", u.Host)
	case u.Scheme != "http" && u.Scheme != "https":
		return member{}, fmt.Errorf("%q is neither http nor https", text)
	case u.RawQuery != "" || u.Fragment != "":
		return member{}, fmt.Errorf("%q has a query or a fragment", text)
	}
	return memberAt(u, strings.TrimSuffix(u.Path, "/")+rolePath)
}

// memberAt is the node that a URL leads to.
func memberAt(u *url.URL, path string) (member, error) {
	host := u.Hostname()
	if host == "" || strings.ContainsAny(host, " \t") {
		return member{}, fmt.Errorf("%q has no host", u.Host)
	}
	port := u.Port()
	if port == "" {
		port = defaultPort(u.Scheme)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return member{}, fmt.Errorf("%q has no port from 1 to 65535", u.Host)
	}
	return member{place: place(host), scheme: u.Scheme, port: port, path: path}, nil
}

func defaultPort(scheme string) string {
	if scheme == "http" {
		return "80"
	}
	return "443"
}

// listed are the members of a record that have an address.
func listed(r record.Record, rolePath string) []member {
	var all []member
	for _, m := range r.Members {
		if at := placeOf(m.IPv4, m.IPv6); at != anywhere {
			all = append(all, member{place: at, scheme: m.Scheme, port: strconv.Itoa(int(m.Port)), path: rolePath})
		}
	}
	return all
}

// merged adds further members to those of the record, but not a second time.
func merged(all []member, further ...member) []member {
	all = slices.Clone(all)
	for _, m := range further {
		same := func(o member) bool { return o.port == m.port && slices.Contains(o.place.hosts(), string(m.place)) }
		if m.place != anywhere && !slices.ContainsFunc(all, same) {
			all = append(all, m)
		}
	}
	return all
}

// url is the role endpoint, at the name of the group: so the Host header and
// the certificate are those that users of the name see.
func (m member) url(fqdn string) string {
	u := url.URL{Scheme: m.scheme, Host: net.JoinHostPort(fqdn, m.port), Path: m.path}
	return u.String()
}
