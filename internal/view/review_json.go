package view

import (
	"bytes"
	"encoding/json"
	"io"

	"xplan/internal/compile"
	"xplan/plan"
)

// reviewJSON writes the document over several lines: it is read by people as well.
func reviewJSON(w io.Writer, p *plan.Plan, prog *compile.Program, style Style) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	if err := e.Encode(factsOf(p, prog, style.Saved)); err != nil {
		return err
	}
	_, err := w.Write(inertJSON(b.Bytes()))
	return err
}
