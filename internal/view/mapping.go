package view

import (
	"io"

	"xplan/internal/s3copy"
)

// A Mapping is one version of a pair's source, and what it is at the destination: a line of verify's --mapping.
type Mapping struct {
	Pair           string `json:"pair"`
	Key            string `json:"key"`
	DestinationKey string `json:"destination_key"`
	s3copy.Mapped
}

// MappingLine writes it as a line of JSON, in which nothing acts on a terminal.
func MappingLine(w io.Writer, m Mapping) error { return writeLine(w, m) }
