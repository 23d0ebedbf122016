package availability

import (
	"encoding/json"
	"fmt"
)

const stateVersion = 1

// savedState is what a node remembers over a restart, beside its runs.
type savedState struct {
	// Settings are those that were set, without defaults, with the secret.
	Settings Settings
	// Membership is what the node knew of its group.
	Membership membership
}

// membership is a hint: the record decides who is a member.
type membership struct {
	// InGroup: the record listed the node when it was last read.
	InGroup bool `json:"in_group"`
	// Group is the identity of that group, Term the highest term known of it.
	Group string `json:"group"`
	Term  uint64 `json:"term"`
}

// stateText is the form of a savedState in the file: the one place where the
// secret is written.
type stateText struct {
	Version    int             `json:"version"`
	Settings   json.RawMessage `json:"settings"`
	Secret     string          `json:"tsig_secret"`
	Membership membership      `json:"membership"`
}

func encodeState(s savedState) ([]byte, error) {
	settings, err := json.Marshal(s.Settings)
	if err != nil {
		return nil, fmt.Errorf("availability: save settings: %w", err)
	}
	text, err := json.MarshalIndent(stateText{
		Version: stateVersion, Settings: settings, Secret: s.Settings.TSIGSecret.Reveal(), Membership: s.Membership,
	}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("availability: save settings: %w", err)
	}
	return append(text, '\n'), nil
}

func decodeState(text []byte) (savedState, error) {
	var saved stateText
	if err := json.Unmarshal(text, &saved); err != nil {
		return savedState{}, err
	}
	if saved.Version != stateVersion {
		return savedState{}, fmt.Errorf("version %d, this program knows %d", saved.Version, stateVersion)
	}
	s := savedState{Membership: saved.Membership}
	if err := json.Unmarshal(saved.Settings, &s.Settings); err != nil {
		return savedState{}, err
	}
	if saved.Secret != "" {
		s.Settings.TSIGSecret = NewSecret(saved.Secret)
		if problem := checkSecret(s.Settings.TSIGSecret); problem != "" {
			return savedState{}, configError([]FieldError{{Field: keySecret, Problem: problem}})
		}
	}
	return s, nil
}
