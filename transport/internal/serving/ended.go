package serving

import (
	"context"
	"errors"
	"fmt"
)

// Ended returns why ctx has ended, nil if it has not. The error wraps both the
// error of ctx and its cause, so that a caller may look for either.
func Ended(ctx context.Context) error {
	err := ctx.Err()
	if err == nil {
		return nil
	}
	cause := context.Cause(ctx)
	if errors.Is(cause, err) {
		return cause
	}
	return fmt.Errorf("%w: %w", err, cause)
}
