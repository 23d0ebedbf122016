package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/availabilitygroup/ag/availability"
	"github.com/availabilitygroup/ag/dnsstore"
)

// answer writes v as JSON.
func answer(w http.ResponseWriter, status int, v any) {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n')) // a client that has gone needs no answer
}

// answerError tells what is wrong in words, and of a configuration every
// mistake by its key.
func answerError(w http.ResponseWriter, status int, err error) {
	body := map[string]any{"error": err.Error()}
	if wrong, ok := errors.AsType[*availability.ConfigError](err); ok {
		body["fields"] = wrong.Fields
	}
	answer(w, status, body)
}

// statusOf is the status for the error of a verb.
func statusOf(err error) int {
	if _, ok := errors.AsType[*availability.ConfigError](err); ok {
		return http.StatusBadRequest
	}
	for _, s := range statuses() {
		if errors.Is(err, s.err) {
			return s.status
		}
	}
	return http.StatusBadRequest // what has no sentinel is a request that makes no sense
}

type errorStatus struct {
	err    error
	status int
}

func statuses() []errorStatus {
	return []errorStatus{
		{availability.ErrInGroup, http.StatusConflict},
		{availability.ErrNotInGroup, http.StatusConflict},
		{availability.ErrGroupExists, http.StatusConflict},
		{availability.ErrHostRecordExists, http.StatusConflict},
		{availability.ErrNoGroup, http.StatusConflict},
		{availability.ErrMemberExists, http.StatusConflict},
		{availability.ErrTooManyMembers, http.StatusConflict},
		{availability.ErrUnknownMember, http.StatusNotFound},
		{availability.ErrNoTarget, http.StatusPreconditionFailed},
		{availability.ErrPrimaryAlive, http.StatusPreconditionFailed},
		{availability.ErrPrimaryUnreachable, http.StatusServiceUnavailable},
		{availability.ErrStoreUnreachable, http.StatusServiceUnavailable},
		{availability.ErrNotRunning, http.StatusServiceUnavailable},
		{dnsstore.ErrRefused, http.StatusServiceUnavailable},
		{dnsstore.ErrUnfit, http.StatusServiceUnavailable},
		{context.DeadlineExceeded, http.StatusGatewayTimeout},
		{context.Canceled, http.StatusServiceUnavailable},
	}
}
