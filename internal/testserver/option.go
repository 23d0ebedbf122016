package testserver

import "slices"

// Option changes how a server is configured.
type Option func(*settings)

// settings are what options change.
type settings struct {
	zones         []string
	records       string
	names         []string
	config        string
	serverConfig  string
	zoneConfig    string
	defaultCaches bool
	host          string
	enter         func(func() error) error
}

func newSettings(options []Option) settings {
	s := settings{zones: []string{DefaultZone}, host: loopback, enter: func(f func() error) error { return f() }}
	for _, o := range options {
		o(&s)
	}
	return s
}

// WithZones replaces the list of zones. Each is without a final dot.
func WithZones(names ...string) Option {
	return func(s *settings) { s.zones = slices.Clone(names) }
}

// WithRecords adds lines to the zone file of every zone, in the form of
// RFC 1035 section 5, relative to the zone.
func WithRecords(lines string) Option {
	return func(s *settings) { s.records += lines + "\n" }
}

// WithOnlyNames allows updates of these names only, each absolute and without
// a final dot. PowerDNS has no such limit but a script, which skips what is
// not allowed record by record and answers NOERROR.
func WithOnlyNames(names ...string) Option {
	return func(s *settings) { s.names = append(s.names, names...) }
}

// WithConfig adds text at the end of the server's main configuration file.
func WithConfig(text string) Option {
	return func(s *settings) { s.config += text + "\n" }
}

// WithServerConfig adds text where the server has its settings for the whole
// process: the options statement of BIND, the server section of Knot (four
// blanks before each line), the main file of PowerDNS; nothing for CoreDNS.
func WithServerConfig(text string) Option {
	return func(s *settings) { s.serverConfig += text + "\n" }
}

// WithZoneConfig adds text to the settings of every zone: the zone statement
// of BIND, the zone's item of Knot (four blanks before each line), the server
// block of CoreDNS; for PowerDNS each line is the kind and the values of one
// set-meta of pdnsutil.
func WithZoneConfig(text string) Option {
	return func(s *settings) { s.zoneConfig += text + "\n" }
}

// WithDefaultCaches leaves the caches of PowerDNS as they are out of the box,
// so that answers may be old. It changes nothing for other servers.
func WithDefaultCaches() Option {
	return func(s *settings) { s.defaultCaches = true }
}

// WithNetwork has the server listen at an IPv4 address of another network than
// that of the test, and take updates from every address. All that has to do
// with that network is done within enter: it calls its argument, with the
// thread of the caller in the network namespace, and returns what that returns.
func WithNetwork(host string, enter func(func() error) error) Option {
	return func(s *settings) { s.host, s.enter = host, enter }
}
