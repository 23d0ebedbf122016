package availability_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/availabilitygroup/ag/availability"
)

func TestBootstrap_Text(t *testing.T) {
	t.Parallel()
	for b, word := range map[availability.Bootstrap]string{
		availability.BootstrapManual: "manual", availability.BootstrapJoin: "join", availability.BootstrapCreate: "create",
	} {
		text, err := b.MarshalText()
		if err != nil || string(text) != word || b.String() != word {
			t.Errorf("text of %d = %q (%v), String %q, want %q", int(b), text, err, b.String(), word)
		}
		back := availability.Bootstrap(-1)
		if err := back.UnmarshalText([]byte(word)); err != nil || back != b {
			t.Errorf("%q reads as %v (%v), want %v", word, back, err, b)
		}
	}
	if availability.BootstrapManual != 0 {
		t.Error("BootstrapManual is not the zero value")
	}
}

func TestBootstrap_Wrong(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "Join", "manual ", "0"} {
		b := availability.BootstrapCreate
		if err := b.UnmarshalText([]byte(text)); err == nil || b != availability.BootstrapCreate {
			t.Errorf("UnmarshalText(%q) = %v, value %v, want an error and no change", text, err, b)
		}
	}
	for _, b := range []availability.Bootstrap{-1, 3} {
		if _, err := json.Marshal(map[string]availability.Bootstrap{"b": b}); err == nil {
			t.Errorf("Bootstrap %d has a text", int(b))
		}
		if got, want := b.String(), fmt.Sprintf("Bootstrap(%d)", int(b)); got != want {
			t.Errorf("String = %q, want %q", got, want)
		}
	}
}
