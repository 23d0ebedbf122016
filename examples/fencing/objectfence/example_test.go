package objectfence_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"

	"github.com/availabilitygroup/ag/examples/fencing/internal/objectserver"
	"github.com/availabilitygroup/ag/examples/fencing/objectfence"
)

// A Primary that was stopped comes too late.
func ExampleObject_Write() {
	ctx := context.Background()
	server := httptest.NewServer(&objectserver.Server{})
	defer server.Close()
	object := objectfence.Object{URL: server.URL + "/bucket/state.json"}
	write := func(term uint64, text string) error {
		return object.Write(ctx, term, func(json.RawMessage) (json.RawMessage, error) {
			return json.Marshal(text)
		})
	}

	fmt.Println(object.Claim(ctx, 17), write(17, "from 17"))
	fmt.Println(object.Claim(ctx, 18)) // another node has become Primary
	late := write(17, "late")
	fmt.Println(errors.Is(late, objectfence.ErrFenced), late)
	content, err := object.Read(ctx)
	fmt.Println(content.Term, string(content.Data), err)
	// Output:
	// <nil> <nil>
	// <nil>
	// true objectfence: a newer term has written: term 18, and we have 17
	// 18 "from 17" <nil>
}
