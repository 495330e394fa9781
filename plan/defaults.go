package plan

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strings"
)

// What a plan file that leaves fields out means. The schema tells people the
// same; TestSchemaTellsTheDefaults holds the two together.

func defaultPermissions() Permissions {
	return Permissions{Manage: true, Policy: "s3_copy_by_pull_across_accounts", Statement: "DelegateS3Access"}
}

func defaultCopy() Copy {
	return Copy{
		Include:      []string{"**"},
		Exclude:      []string{},
		Compare:      CompareAuto,
		Overwrite:    "changed",
		Tags:         true,
		StorageClass: "preserve",
		ACL:          "none",
		Archived:     "report",
		Restore:      Restore{Days: 7, Tier: "Standard", Wait: "0s"},
		ObjectLock:   "none",
	}
}

func defaultCutOver() CutOver { return CutOver{Passes: 5, Until: 100} }

// omit leaves out what later versions of xplan brought, where it has its default; complete puts it back.
func (c *Copy) omit() {
	if c.ObjectLock == defaultCopy().ObjectLock {
		c.ObjectLock = ""
	}
	if c.Restore == defaultCopy().Restore {
		c.Restore = Restore{}
	}
}

func (c *Copy) complete() {
	c.ObjectLock = cmp.Or(c.ObjectLock, defaultCopy().ObjectLock)
	c.Restore = cmp.Or(c.Restore, defaultCopy().Restore)
}

func defaultVerify() Verify { return Verify{Level: LevelChecksum, Otherwise: "accept"} }

func defaultCleanup() Cleanup {
	return Cleanup{
		AccessKey: Always, Policy: AfterVerify, BucketPolicy: AfterVerify, DestinationBucket: Keep,
		Instances: []Instance{},
	}
}

func defaultPairCleanup() PairCleanup { return PairCleanup{SourceObjects: Keep, SourceBucket: Keep} }

// A document is the file's own shape. What it leaves raw is decoded onto
// defaults, and a pair's overrides onto what holds at the top.
type document struct {
	Version     int             `json:"version"`
	Requires    string          `json:"requires"`
	Name        string          `json:"name"`
	Accounts    Accounts        `json:"accounts"`
	Principal   *Principal      `json:"principal"`
	Permissions json.RawMessage `json:"permissions"`
	Buckets     []pairDocument  `json:"buckets"`
	Copy        json.RawMessage `json:"copy"`
	Verify      json.RawMessage `json:"verify"`
	CutOver     json.RawMessage `json:"cutover"`
	Cleanup     json.RawMessage `json:"cleanup"`
	Notify      Notify          `json:"notify"`
	Estimate    *Estimate       `json:"estimate"`
}

type pairDocument struct {
	Source      string          `json:"source"`
	Destination string          `json:"destination"`
	Prefix      string          `json:"prefix"`
	ToPrefix    string          `json:"to_prefix"`
	Create      *bool           `json:"create"`
	Settings    BucketSettings  `json:"settings"`
	Copy        json.RawMessage `json:"copy"`
	Verify      json.RawMessage `json:"verify"`
	Cleanup     json.RawMessage `json:"cleanup"`
}

// resolve decodes a value whose shape was checked and fills its defaults in.
func resolve(root any) (*Plan, error) {
	data, err := json.Marshal(root)
	if err != nil {
		return nil, err
	}
	var doc document
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, err
	}
	p := &Plan{
		Version: doc.Version, Requires: doc.Requires, Name: doc.Name, Accounts: doc.Accounts,
		Principal: doc.Principal, Permissions: defaultPermissions(), Cleanup: defaultCleanup(), Notify: doc.Notify,
		Estimate: doc.Estimate,
		Buckets:  make([]Pair, 0, len(doc.Buckets)),
	}
	top := Pair{Copy: defaultCopy(), Verify: defaultVerify(), Cleanup: defaultPairCleanup()}
	err = decodeAll(
		onto{doc.Permissions, &p.Permissions},
		onto{doc.Cleanup, &p.Cleanup},
		onto{doc.Cleanup, &top.Cleanup},
		onto{doc.Copy, &top.Copy},
		onto{doc.Verify, &top.Verify},
	)
	if err != nil {
		return nil, err
	}
	for _, d := range doc.Buckets {
		pair, err := d.resolve(top)
		if err != nil {
			return nil, err
		}
		p.Buckets = append(p.Buckets, pair)
	}
	if len(doc.CutOver) > 0 && !bytes.Equal(doc.CutOver, []byte("null")) {
		c := defaultCutOver()
		p.CutOver = &c
		if err := json.Unmarshal(doc.CutOver, p.CutOver); err != nil {
			return nil, err
		}
	}
	p.fillFreeze()
	p.Accounts.Source.fill()
	p.Accounts.Destination.fill()
	for i := range p.Buckets {
		p.Buckets[i].Settings.Encryption.fill(p.Accounts.Destination)
	}
	if p.Principal != nil {
		p.Principal.fill(p.Accounts.Destination)
	}
	return p, nil
}

// resolve lays the pair's own fields over what holds for every pair.
func (d pairDocument) resolve(top Pair) (Pair, error) {
	pair := top
	pair.Source, pair.Destination = d.Source, d.Destination
	pair.Prefix, pair.ToPrefix = d.Prefix, d.ToPrefix
	pair.Create = d.Create == nil || *d.Create
	pair.Settings = d.Settings
	pair.Copy.Include = slices.Clone(top.Copy.Include) // decoding writes into the array that is there
	pair.Copy.Exclude = slices.Clone(top.Copy.Exclude)
	err := decodeAll(
		onto{d.Copy, &pair.Copy},
		onto{d.Verify, &pair.Verify},
		onto{d.Cleanup, &pair.Cleanup},
	)
	return pair, err
}

type onto struct {
	raw  json.RawMessage
	into any
}

func decodeAll(list ...onto) error {
	for _, o := range list {
		if len(o.raw) == 0 || bytes.Equal(o.raw, []byte("null")) {
			continue
		}
		if err := json.Unmarshal(o.raw, o.into); err != nil {
			return err
		}
	}
	return nil
}

func (a *Account) fill() {
	if a.Provider == "" {
		a.Provider = AWS
	}
}

// fill names the credentials that fit the principal where the file does not:
// a role is assumed, a user gets a key, a server without IAM has profiles only.
func (p *Principal) fill(a Account) {
	switch {
	case p.Credentials != "":
	case !a.IsAWS():
		p.Credentials = Profile
	case strings.Contains(p.ARN, ":role/"):
		p.Credentials = AssumeRole
	default:
		p.Credentials = AccessKey
	}
}

// fill names the encryption that is meant. A server that is not AWS may have none, so nothing is asked of it by default.
func (e *Encryption) fill(a Account) {
	switch {
	case e.Algorithm != "":
	case e.KMSKeyID != "":
		e.Algorithm = "aws:kms"
	case a.IsAWS():
		e.Algorithm = "AES256"
	}
}

// fillFreeze names our statement by the plan: of two plans that freeze one bucket, neither takes the other's for its own.
func (p *Plan) fillFreeze() {
	switch {
	case !p.Freezes():
		return
	case p.Cleanup.Freeze == "":
		p.Cleanup.Freeze = Always
	}
	if p.CutOver.Statement == "" {
		p.CutOver.Statement = freezeSid(p.Name)
	}
}

// freezeSid is XplanFreeze and the plan's name, "tommy-to-b" as TommyToB; a Sid has letters and digits only.
func freezeSid(name string) string {
	const longest = 57 // of 64: FreezeSids
	var b strings.Builder
	b.WriteString("XplanFreeze")
	for word := range strings.SplitSeq(name, "-") {
		if word != "" {
			b.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	sid := b.String()
	return sid[:min(len(sid), longest)]
}
