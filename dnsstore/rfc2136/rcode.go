package rfc2136

import (
	"strconv"

	"github.com/miekg/dns"
)

// rcodeText returns the name of a response code. 16 is BADVERS here and BADSIG
// in a signature (RFC 6895 section 2.3), so there are two functions.
func rcodeText(rcode int) string {
	if text, ok := dns.RcodeToString[rcode]; ok {
		return text
	}
	return "RCODE" + strconv.Itoa(rcode)
}

// tsigErrorText returns the name of the error in a signature.
func tsigErrorText(code int) string {
	if code == dns.RcodeBadSig {
		return "BADSIG"
	}
	return rcodeText(code)
}

// conditionFalse tells whether a response code says that a condition did not
// hold (RFC 2136 section 3.2).
func conditionFalse(rcode int) bool {
	switch rcode {
	case dns.RcodeNXRrset, dns.RcodeYXRrset, dns.RcodeNameError, dns.RcodeYXDomain:
		return true
	}
	return false
}

// refused tells whether a response code says that the server has not done, and
// will not do, what it was asked for.
func refused(rcode int) bool {
	switch rcode {
	case dns.RcodeRefused, dns.RcodeNotAuth, dns.RcodeNotZone, dns.RcodeNotImplemented, dns.RcodeFormatError:
		return true
	}
	return false
}
