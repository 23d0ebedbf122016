package twoclocks_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/availabilitygroup/ag/internal/twoclocks"
)

func TestReading(t *testing.T) {
	t.Parallel()
	wall := time.Date(2027, 1, 15, 8, 0, 0, 123, time.UTC)
	a, okA := twoclocks.Reading(wall, time.Second)
	b, okB := twoclocks.Reading(wall.Add(time.Hour), 3*time.Second)
	if !okA || !okB {
		t.Fatal("this version of Go keeps a time in another way")
	}
	if got := b.Sub(a); got != 2*time.Second {
		t.Errorf("monotonic difference %v, want 2s", got)
	}
	if got := b.Round(0).Sub(a.Round(0)); got != time.Hour {
		t.Errorf("wall difference %v, want 1h", got)
	}
	if !a.Round(0).Equal(wall) {
		t.Errorf("wall time %v, want %v", a.Round(0), wall)
	}
	if _, ok := twoclocks.Reading(time.Date(3000, 1, 1, 0, 0, 0, 0, time.UTC), 0); ok {
		t.Error("a year that does not fit is ok")
	}
}

func TestStepped(t *testing.T) {
	t.Parallel()
	for _, by := range []time.Duration{time.Hour, -time.Hour, 1, 0} {
		before := time.Now()
		after, ok := twoclocks.Stepped(before, by)
		if got := after.Sub(before); !ok || got != 0 {
			t.Errorf("a step by %v moves the monotonic reading by %v; ok: %t", by, got, ok)
		}
		if got := after.Round(0).Sub(before.Round(0)); got != by {
			t.Errorf("a step by %v moves the wall by %v", by, got)
		}
	}
	if _, ok := twoclocks.Stepped(time.Now().Round(0), time.Hour); ok {
		t.Error("a time without a monotonic reading is ok")
	}
}

// In a bubble a time has no monotonic reading until it is given one.
func TestMonotonic(t *testing.T) {
	t.Parallel()
	now := time.Now()
	if got, ok := twoclocks.Monotonic(now); !ok || got != now {
		t.Errorf("outside of a bubble: %v, %t, want %v", got, ok, now)
	}
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		got, ok := twoclocks.Monotonic(now)
		if _, steps := twoclocks.Stepped(got, time.Hour); !ok || !steps || !got.Round(0).Equal(now) {
			t.Errorf("in a bubble: %v, %t, %t, want %v", got, ok, steps, now)
		}
	})
}
