package state

import (
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// exportVersion is that of the lines that Export writes.
const exportVersion = 1

// Export writes every record as a line of JSON, named and in the order of docs/state-format.md: the state first, then
// its runs with their steps, what is owned, and each job with its ranges, failures and uploads. They hold no secret,
// since no record does.
func (db *DB) Export(w io.Writer) error {
	to := exporter{json.NewEncoder(w)}
	to.SetEscapeHTML(false)
	name, err := db.PlanName()
	if err == nil {
		err = to.Encode(exportedState{"state", exportVersion, formatNewest, name})
	}
	for _, export := range []func(exporter) error{db.exportRuns, db.exportOwned, db.exportJobs} {
		if err == nil {
			err = export(to)
		}
	}
	if err != nil {
		return fmt.Errorf("export state of %s: %w", db.name, err)
	}
	return nil
}

type exporter struct{ *json.Encoder }

type exportedState struct {
	Type   string `json:"type"`
	Export int    `json:"export"`
	Layout int    `json:"layout"`
	Plan   string `json:"plan"`
}

type exportedRun struct {
	Type       string    `json:"type"`
	ID         string    `json:"id"`
	PlanName   string    `json:"plan_name"`
	PlanFile   string    `json:"plan_file"`
	PlanDigest string    `json:"plan_digest"`
	Approval   string    `json:"approval"`
	Plan       any       `json:"plan"`
	Version    string    `json:"version"`
	Started    time.Time `json:"started"`
	Status     RunStatus `json:"status"`
	Resumed    int       `json:"resumed"`
	Updated    time.Time `json:"updated,omitzero"`
	Exit       int       `json:"exit"`
	Summary    any       `json:"summary,omitempty"`
}

type exportedStep struct {
	Type    string    `json:"type"`
	Run     string    `json:"run"`
	ID      string    `json:"id"`
	Kind    string    `json:"kind"`
	Outcome string    `json:"outcome"`
	Message string    `json:"message"`
	Started time.Time `json:"started,omitzero"`
	Ended   time.Time `json:"ended,omitzero"`
	Detail  any       `json:"detail,omitempty"`
}

type exportedOwned struct {
	Type    string    `json:"type"`
	Kind    string    `json:"kind"`
	Side    string    `json:"side"`
	Subject string    `json:"subject"`
	Parent  string    `json:"parent"`
	Digest  string    `json:"digest"`
	Intent  bool      `json:"intent"`
	Before  []string  `json:"before,omitempty"`
	Since   time.Time `json:"since,omitzero"`
}

type exportedRange struct {
	Type    string `json:"type"`
	Job     string `json:"job"`
	ID      uint64 `json:"id"`
	After   string `json:"after"`
	Through string `json:"through"`
	Done    string `json:"done"`
	Ended   bool   `json:"ended"`
}

type exportedFailure struct {
	Type   string    `json:"type"`
	Job    string    `json:"job"`
	Key    string    `json:"key"`
	Phase  string    `json:"phase"`
	Reason string    `json:"reason"`
	Size   int64     `json:"size"`
	At     time.Time `json:"at"`
}

type exportedUpload struct {
	Type    string    `json:"type"`
	Job     string    `json:"job"`
	Key     string    `json:"key"`
	ID      string    `json:"id"`
	ETag    string    `json:"etag"`
	Size    int64     `json:"size"`
	Part    int64     `json:"part"`
	Started time.Time `json:"started"`
}

func (db *DB) exportRuns(to exporter) error {
	runs, err := db.Runs()
	if err != nil {
		return err
	}
	for _, r := range runs {
		err := to.Encode(exportedRun{
			"run", r.ID, r.PlanName, r.PlanFile, r.PlanDigest, r.Approval, embedded(r.Plan), r.Version, r.Started, r.Status,
			r.Resumed, r.Updated, r.Exit, embedded(r.Summary),
		})
		if err != nil {
			return err
		}
		steps, err := db.Steps(r.ID)
		if err != nil {
			return err
		}
		for _, s := range steps {
			if err := to.Encode(exportedStep{"step", r.ID, s.ID, s.Kind, s.Outcome, s.Message, s.Started, s.Ended, embedded(s.Detail)}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (db *DB) exportOwned(to exporter) error {
	owned, err := db.Owned()
	for _, o := range owned {
		if err == nil {
			err = to.Encode(exportedOwned{"ownership", o.Kind, o.Side, o.Subject, o.Parent, o.Digest, o.Intent, o.Before, o.Since})
		}
	}
	return err
}

func (db *DB) exportJobs(to exporter) error {
	jobs, err := db.Jobs()
	if err != nil {
		return err
	}
	for _, job := range jobs {
		p, err := db.Progress(job)
		if err != nil {
			return err
		}
		lines := []any{p.Tally.line(job)}
		for _, r := range p.Ranges {
			lines = append(lines, exportedRange{"range", job, r.ID, r.After, r.Through, r.Done, r.Ended})
		}
		for _, f := range p.Failures {
			lines = append(lines, exportedFailure{"failure", job, f.Key, f.Phase, f.Reason, f.Size, f.At})
		}
		for _, u := range p.Uploads {
			lines = append(lines, exportedUpload{"upload", job, u.Key, u.ID, u.ETag, u.Size, u.Part, u.Started})
		}
		for _, line := range lines {
			if err := to.Encode(line); err != nil {
				return err
			}
		}
	}
	return nil
}

// line names the counts as the table of records does.
func (t *Tally) line(job string) map[string]any {
	line := map[string]any{"type": "tally", "job": job}
	names := []string{
		"listed", "copied", "new", "changed", "same", "skipped", "failed", "filtered", "archived", "kept", "unreadable",
		"extra", "deleted", "by_etag", "by_checksum", "by_bytes", "size_only",
		"versions", "markers", "versions_copied", "markers_copied",
	}
	for i, c := range t.counts() {
		line[names[i]] = map[string]int64{"objects": c.Objects, "bytes": c.Bytes}
	}
	return line
}

// embedded is what a caller wrote as JSON, as JSON; anything else as text.
func embedded(b []byte) any {
	switch {
	case len(b) == 0:
		return nil
	case json.Valid(b):
		return json.RawMessage(b)
	}
	return string(b)
}
