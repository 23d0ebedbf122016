package twoclocks

import (
	"time"
	"unsafe"
)

// fields are those of a time.Time. One that has a monotonic reading keeps in
// the first a flag, 33 bits of seconds since 1885 and 30 of nanoseconds, and
// the reading in the second; any other one the nanoseconds in the first and the
// seconds since the year 1 in the second.
type fields struct {
	first  uint64
	second int64
}

func fieldsOf(t *time.Time) *fields { return (*fields)(unsafe.Pointer(t)) }

const (
	hasMonotonic = 1 << 63
	since1885    = 31045 * 86400  // seconds, in 1970
	since1       = 719162 * 86400 // likewise
)

func firstField(wall time.Time) uint64 {
	return hasMonotonic | uint64(wall.Unix()+since1885)<<30 | uint64(wall.Nanosecond())
}

// Reading is what a system's clock returns: a wall time, and with it a monotonic
// reading that need not have moved as far. It is not ok if this version of Go
// keeps a time in another way, or for a wall time outside of the years 1885 to
// 2157.
func Reading(wall time.Time, mono time.Duration) (t time.Time, ok bool) {
	t, ok = Monotonic(wall.Round(0))
	fieldsOf(&t).second = int64(mono) + 1
	return t, ok && t.Round(0).Equal(wall)
}

// Monotonic returns t with a monotonic reading. In a bubble of testing/synctest
// the time has none. It is not ok if this version of Go keeps a time in another
// way.
func Monotonic(t time.Time) (after time.Time, ok bool) {
	after = t
	f := fieldsOf(&after)
	if f.first == firstField(t.Round(0)) {
		return t, true
	}
	if f.first != uint64(t.Nanosecond()) || f.second != t.Unix()+since1 {
		return t, false
	}
	f.first, f.second = firstField(t), 1
	return after, after.Round(0).Equal(t)
}

// Stepped returns t with its wall reading moved by that much and its monotonic
// reading left alone. It is not ok if t has no monotonic reading, or if the
// step leads out of the years 1885 to 2157.
func Stepped(t time.Time, by time.Duration) (after time.Time, ok bool) {
	after = t
	f, want := fieldsOf(&after), t.Round(0).Add(by)
	if f.first != firstField(t.Round(0)) {
		return t, false
	}
	f.first = firstField(want)
	return after, after.Sub(t) == 0 && after.Round(0).Equal(want)
}
