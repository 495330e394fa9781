package plan

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
)

// JSON is the plan with every default filled in, in one form only: equal plans
// give equal bytes. FromJSON reads it again.
func (p *Plan) JSON() []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(p.canonical()); err != nil {
		panic("plan: a plan of strings, numbers and booleans always encodes: " + err.Error())
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}

// impersonal leaves out the profiles, and the estimate, which changes nothing that is done. What later versions of
// xplan brought it leaves out where that has its default, so that digests stay.
func (p *Plan) impersonal() *Plan {
	c := *p
	c.Estimate = nil
	c.Accounts.Source.Profile, c.Accounts.Destination.Profile = "", ""
	if c.Principal != nil {
		principal := *c.Principal
		principal.Profile = ""
		c.Principal = &principal
	}
	c.Buckets = slices.Clone(c.Buckets)
	for i := range c.Buckets {
		c.Buckets[i].Copy.omit()
	}
	return &c
}

// canonical writes what means the same in one way: no list is as an empty one.
func (p *Plan) canonical() *Plan {
	c := *p
	c.Buckets = slices.Clone(c.Buckets)
	for i := range c.Buckets {
		pair := &c.Buckets[i]
		pair.Copy.Include = filled(pair.Copy.Include)
		pair.Copy.Exclude = filled(pair.Copy.Exclude)
	}
	c.Buckets = filled(c.Buckets)
	c.Cleanup.Instances = filled(c.Cleanup.Instances)
	return &c
}

func filled[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// Digest identifies what the plan says: "sha256:" and 64 hexadecimal digits.
// Formatting, comments, the order of fields, the file's name, and writing a
// default out, do not change it. Neither do profiles: they are personal, and the
// accounts and the principal that they must lead to are pinned by ID. Nor does the
// estimate.
func (p *Plan) Digest() string {
	sum := sha256.Sum256(p.impersonal().JSON())
	return "sha256:" + hex.EncodeToString(sum[:])
}

// FromJSON reads a plan that JSON wrote. What it does not know it refuses: the
// plan may come from a newer xplan.
func FromJSON(data []byte) (*Plan, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	p := &Plan{}
	if err := d.Decode(p); err != nil {
		return nil, fmt.Errorf("read a stored plan: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("read a stored plan: something follows after it")
	}
	for i := range p.Buckets {
		p.Buckets[i].Copy.complete()
	}
	if p.Version != 1 {
		return nil, fmt.Errorf("read a stored plan: version %d, this xplan reads version 1", p.Version)
	}
	return p, nil
}

// Check holds a plan that FromJSON has read to the rules that Parse holds a file to: what
// JSON wrote passes, what somebody else wrote may not. The error is *Problems.
func (p *Plan) Check() error {
	// The file's word for 0 is auto. A quotation mark inside a value has a backslash before it.
	text := bytes.ReplaceAll(p.JSON(), []byte(`"in_flight":0`), []byte(`"in_flight":"auto"`))
	var lines bytes.Buffer
	if err := json.Indent(&lines, text, "", ""); err != nil {
		panic("plan: what JSON wrote is JSON: " + err.Error())
	}
	r := &report{name: "the plan", secrets: newRedactor()}
	r.parse(lines.Bytes()) // with every default it may be larger than a file
	_, err := r.done()
	return err
}

// A Difference is one value that two plans disagree on. Before and After are
// JSON; empty means that the value is not there.
type Difference struct {
	Pointer string `json:"pointer"`
	Before  string `json:"before,omitempty"`
	After   string `json:"after,omitempty"`
}

// Differences lists where b says something else than a, by pointer into their
// JSON. Plans of equal digests have none.
func Differences(a, b *Plan) []Difference {
	before, after := map[string]string{}, map[string]string{}
	flatten("", a.impersonal().values(), before)
	flatten("", b.impersonal().values(), after)
	all := maps.Clone(before)
	maps.Copy(all, after)
	var list []Difference
	for _, pointer := range slices.Sorted(maps.Keys(all)) {
		if before[pointer] != after[pointer] {
			list = append(list, Difference{pointer, before[pointer], after[pointer]})
		}
	}
	return list
}

func (p *Plan) values() any {
	d := json.NewDecoder(bytes.NewReader(p.JSON()))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		panic("plan: what JSON wrote is JSON: " + err.Error())
	}
	return v
}

// flatten lists the leaves of a value; an empty mapping or list is one.
func flatten(pointer string, v any, into map[string]string) {
	switch v := v.(type) {
	case map[string]any:
		for name, below := range v {
			flatten(child(pointer, name), below, into)
		}
		if len(v) > 0 {
			return
		}
	case []any:
		for i, below := range v {
			flatten(item(pointer, i), below, into)
		}
		if len(v) > 0 {
			return
		}
	}
	text, err := json.Marshal(v)
	if err != nil {
		panic("plan: what was JSON is JSON again: " + err.Error())
	}
	into[pointer] = string(text)
}
