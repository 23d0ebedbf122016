package availability_test

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/availabilitygroup/ag/availability"
)

func TestConfigError_Error(t *testing.T) {
	t.Parallel()
	err := &availability.ConfigError{Fields: []availability.FieldError{
		{Field: "group_fqdn", Problem: "is needed"}, {Problem: "the whole is wrong"},
	}}
	want := "availability: wrong configuration: group_fqdn: is needed; the whole is wrong"
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Errorf("Error mismatch (-want +got):\n%s", diff)
	}
	if got, ok := errors.AsType[*availability.ConfigError](fmt.Errorf("start: %w", err)); !ok || got != err {
		t.Error("a wrapped ConfigError is not found")
	}
	if _, ok := errors.AsType[*availability.ConfigError](fs.ErrNotExist); ok {
		t.Error("a foreign error is a ConfigError")
	}
}

func TestErrors_AreDistinct(t *testing.T) {
	t.Parallel()
	sentinels := []error{
		availability.ErrInGroup, availability.ErrNotInGroup, availability.ErrGroupExists, availability.ErrHostRecordExists,
		availability.ErrNoGroup, availability.ErrMemberExists, availability.ErrTooManyMembers, availability.ErrNotPrimary,
		availability.ErrUnknownMember, availability.ErrNoTarget, availability.ErrPrimaryAlive,
		availability.ErrPrimaryUnreachable, availability.ErrStoreUnreachable, availability.ErrNotRunning, availability.ErrStateLocked,
	}
	seen := map[string]bool{}
	for _, err := range sentinels {
		if seen[err.Error()] {
			t.Errorf("two errors say %q", err)
		}
		seen[err.Error()] = true
	}
}
