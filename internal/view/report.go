package view

import (
	_ "embed"
	"html/template"
	"io"
	"maps"
	"slices"

	"xplan/executor"
	"xplan/internal/s3copy"
)

//go:embed report.html
var reportHTML string

type reportRow struct{ Name, Objects, Bytes string }

type reportPair struct {
	Name     string
	Rows     []reportRow
	Failures []s3copy.Failure
}

type reportStep struct {
	Kind, Subject, Message, Took string
	Outcome                      executor.Outcome
}

// Report renders a run's end as one self-contained page.
func Report(w io.Writer, e End, version string) error {
	t, err := template.New("report").Parse(reportHTML)
	if err != nil {
		return err
	}
	data := struct {
		End         End
		Words, Took string
		Version     string
		Pairs       []reportPair
		Steps       []reportStep
	}{End: inert(e), Words: stateWords(e), Took: shortTime(e.Took), Version: version}
	for _, name := range slices.Sorted(maps.Keys(e.Pairs)) {
		data.Pairs = append(data.Pairs, pairReport(name, e.Pairs[name]))
	}
	for _, s := range e.Steps {
		row := reportStep{Kind: s.Kind, Subject: safe(s.Subject), Message: prose(s.Message), Outcome: s.Outcome}
		if took := s.took(); took > 0 {
			row.Took = shortTime(took)
		}
		data.Steps = append(data.Steps, row)
	}
	return t.Execute(w, data)
}

// inert keeps the world's text from acting on a terminal: the page may be looked at there.
func inert(e End) End {
	e.Resume = safe(e.Resume)
	for _, list := range []*[]string{&e.Left, &e.Kept, &e.Waiting} {
		*list = slices.Clone(*list)
		for i, s := range *list {
			(*list)[i] = safe(s)
		}
	}
	return e
}

func pairReport(name string, s s3copy.Summary) reportPair {
	t := s.Tally
	p := reportPair{Name: safe(name), Failures: slices.Clone(s.Failures)}
	for i := range p.Failures {
		p.Failures[i].Key, p.Failures[i].Reason = Key(p.Failures[i].Key), safe(p.Failures[i].Reason)
	}
	for _, r := range []struct {
		name string
		c    s3copy.Count
	}{
		{"listed", t.Listed},
		{"copied", t.Copied},
		{"same", t.Same},
		{"skipped", t.Skipped},
		{"failed", t.Failed},
		{"proven by ETag", t.Evidence.ETag},
		{"proven by checksum", t.Evidence.Checksum},
		{"proven by bytes", t.Evidence.Bytes},
		{"compared by size only", t.Evidence.SizeOnly},
		{"deleted", t.Deleted},
	} {
		p.Rows = append(p.Rows, reportRow{r.name, number(r.c.Objects), size(r.c.Bytes)})
	}
	if h := t.History; h != (s3copy.History{}) {
		p.Rows = append(p.Rows,
			reportRow{"versions", number(h.Versions.Objects), size(h.Versions.Bytes)}, reportRow{"delete markers", number(h.Markers.Objects), ""},
			reportRow{"versions copied", number(h.VersionsCopied.Objects), size(h.VersionsCopied.Bytes)},
			reportRow{"delete markers made", number(h.MarkersCopied.Objects), ""})
	}
	return p
}
