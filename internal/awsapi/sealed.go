package awsapi

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
)

// sealed is embedded in everything that holds credentials, and makes it print as its
// public name under every verb and encoder. Held by TestSecretsAreNeverPrinted.
type sealed struct{ public string }

// String gives the public name.
func (s sealed) String() string { return s.public }

// GoString gives the public name.
func (s sealed) GoString() string { return s.public }

// Format writes the public name whatever the verb.
func (s sealed) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.public) }

// MarshalJSON gives the public name as a string.
func (s sealed) MarshalJSON() ([]byte, error) { return json.Marshal(s.public) }

// MarshalText gives the public name.
func (s sealed) MarshalText() ([]byte, error) { return []byte(s.public), nil }

// LogValue gives the public name.
func (s sealed) LogValue() slog.Value { return slog.StringValue(s.public) }
