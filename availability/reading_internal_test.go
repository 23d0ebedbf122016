package availability

import (
	"time"
	"unsafe"
)

// Reading makes what a system's clock returns: a wall time, and with it a
// monotonic reading that need not have moved as far. The time package has no
// other way to get one whose two parts differ, so this writes its fields.
func Reading(wall time.Time, mono time.Duration) time.Time {
	const (
		day          = 86400
		toInternal   = (1969*365 + 1969/4 - 1969/100 + 1969/400) * day // year 1 to 1970
		toWall       = (1884*365 + 1884/4 - 1884/100 + 1884/400) * day // year 1 to 1885
		hasMonotonic = 1 << 63
	)
	var t time.Time
	parts := (*struct {
		wall uint64
		ext  int64
		loc  *time.Location
	})(unsafe.Pointer(&t))
	seconds := uint64(wall.Unix() + toInternal - toWall)
	parts.wall = hasMonotonic | seconds<<30 | uint64(wall.Nanosecond())
	parts.ext = int64(mono) + 1
	return t
}
