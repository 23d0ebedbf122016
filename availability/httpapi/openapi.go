package httpapi

import (
	"context"
	_ "embed"
	"net/http"
)

// document describes the API for programs, in OpenAPI 3.1. The tests compare
// it with the table of endpoints and with what those answer.
//
//go:embed openapi.json
var document []byte

// describe answers with the document. It needs no permission, since it holds
// nothing of the group.
func describe(_ context.Context, c *call) error {
	c.w.Header().Set("Content-Type", "application/json")
	c.w.WriteHeader(http.StatusOK)
	_, _ = c.w.Write(document) // a client that has gone needs no answer
	return nil
}
