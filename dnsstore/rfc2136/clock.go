package rfc2136

import (
	"sync"
	"time"
)

// clock knows how far the server's clock is from this host's. It believes
// verified answers only. The zero value is ready for use.
type clock struct {
	mu     sync.Mutex
	skew   time.Duration // guarded by mu; as last measured
	offset time.Duration // guarded by mu; what is added to the time of signing
}

// correction is what has to be added to this host's time for a signature.
func (c *clock) correction() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.offset
}

// measured returns the server's time minus this host's, as last seen.
func (c *clock) measured() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.skew
}

// observe takes the server's time, whole seconds, from an answer that came
// between two instants of this host's clock. If the server refused the time of
// signing, messages are signed by its clock from now on.
func (c *clock) observe(sent, received, server time.Time, refused bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.skew = nearestToZero(server.Sub(received), server.Add(time.Second).Sub(sent))
	if refused {
		c.offset = c.skew
	}
}

// nearestToZero returns the number from low to high that is nearest to zero.
func nearestToZero(low, high time.Duration) time.Duration {
	switch {
	case low > 0:
		return low
	case high < 0:
		return high
	}
	return 0
}
