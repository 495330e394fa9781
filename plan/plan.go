package plan

import (
	"encoding/json"
	"time"
)

// A Plan is a plan file whose defaults are filled in and whose meaning was
// checked. It is a value: nothing in the program changes it after Load. It
// holds no secret. Safe for concurrent reading.
type Plan struct {
	Version     int         `json:"version"`
	Requires    string      `json:"requires,omitempty"` // a constraint on xplan's version, such as ">=0.1"
	Name        string      `json:"name"`
	Accounts    Accounts    `json:"accounts"`
	Principal   *Principal  `json:"principal,omitempty"` // nil: the destination's own credentials copy
	Permissions Permissions `json:"permissions"`
	Buckets     []Pair      `json:"buckets"`
	CutOver     *CutOver    `json:"cutover,omitempty"` // nil: one copy, and no more
	Cleanup     Cleanup     `json:"cleanup"`
	Notify      Notify      `json:"notify"`
	Estimate    *Estimate   `json:"estimate,omitempty"` // nil: list prices and default rates; no part of the digest

	// File is the path as it was given; it takes no part in the digest.
	File string `json:"-"`

	// Positions holds where each value was written, by JSON pointer (see
	// Position); Warnings what is allowed and probably not meant. Both belong
	// to the file, not to what it says, and take no part in the digest.
	Positions map[string]Position `json:"-"`
	Warnings  []Problem           `json:"-"`
}

// Side names one of the two accounts of a plan.
type Side string

// The two sides of a plan.
const (
	Source      Side = "source"
	Destination Side = "destination"
)

// Accounts holds both sides: who sets things up and counts.
type Accounts struct {
	Source      Account `json:"source"`
	Destination Account `json:"destination"`
}

// Of returns the account of a side.
func (a Accounts) Of(s Side) Account {
	if s == Source {
		return a.Source
	}
	return a.Destination
}

// Provider says what kind of server an account is.
type Provider string

// The providers.
const (
	AWS          Provider = "aws"
	S3Compatible Provider = "s3-compatible"
)

// An Account says how to reach one side as its administrator.
type Account struct {
	Provider    Provider `json:"provider"`
	ID          string   `json:"id,omitempty"` // 12 digits; empty for S3Compatible
	Profile     string   `json:"profile,omitempty"`
	Region      string   `json:"region,omitempty"` // a default: a bucket's own is discovered
	RoleARN     string   `json:"role_arn,omitempty"`
	ExternalID  string   `json:"external_id,omitempty"`
	EndpointURL string   `json:"endpoint_url,omitempty"`
	PathStyle   *bool    `json:"path_style,omitempty"` // nil: path style where there is an endpoint
}

// IsAWS tells whether the account has an ID, IAM and owner pinning.
func (a Account) IsAWS() bool { return a.Provider != S3Compatible }

// CredentialKind says how the principal signs.
type CredentialKind string

// The kinds of credentials.
const (
	AccessKey  CredentialKind = "access-key"  // minted by the run, deleted by it
	AssumeRole CredentialKind = "assume-role" // refreshed before it expires
	Profile    CredentialKind = "profile"     // must turn out to be the principal
)

// Principal is who pulls: a user or a role of the destination account.
type Principal struct {
	ARN                 string         `json:"arn"`
	Credentials         CredentialKind `json:"credentials"`
	Profile             string         `json:"profile,omitempty"`
	Create              bool           `json:"create"`
	Path                string         `json:"path,omitempty"` // of a created principal, "/…/"; the ARN's when empty
	PermissionsBoundary string         `json:"permissions_boundary,omitempty"`
}

// Permissions says whether and under which names the run manages IAM and the bucket policies.
type Permissions struct {
	Manage    bool   `json:"manage"`
	Policy    string `json:"policy"`
	Statement string `json:"statement"`
	Adopt     bool   `json:"adopt"`
}

// A Pair copies one bucket, or a part of it, to another. Copy, Verify and the
// source's clean-up are already resolved from the plan's top level and the
// pair's overrides.
type Pair struct {
	Source      string         `json:"source"`
	Destination string         `json:"destination"`
	Prefix      string         `json:"prefix"`
	ToPrefix    string         `json:"to_prefix"`
	Create      bool           `json:"create"`
	Settings    BucketSettings `json:"settings"`
	Copy        Copy           `json:"copy"`
	Verify      Verify         `json:"verify"`
	Cleanup     PairCleanup    `json:"cleanup"`
}

// ID names the pair in steps and state: "tommy/logs/→tommy-b/".
func (p Pair) ID() string {
	return p.Source + "/" + p.Prefix + "→" + p.Destination + "/" + p.ToPrefix
}

// BucketSettings are those of a created bucket; the zero value means secure defaults:
// public access blocked, BucketOwnerEnforced, SSE-S3, versioning off.
type BucketSettings struct {
	Region     string            `json:"region,omitempty"`
	Encryption Encryption        `json:"encryption"`
	Versioning bool              `json:"versioning,omitempty"`
	ObjectLock bool              `json:"object_lock,omitempty"`
	Tags       map[string]string `json:"tags,omitempty"`
}

// Encryption is a bucket's default: AES256, or aws:kms with a key.
type Encryption struct {
	Algorithm string `json:"algorithm,omitempty"`
	KMSKeyID  string `json:"kms_key_id,omitempty"`
	BucketKey bool   `json:"bucket_key,omitempty"`
}

// Compare says how equality of two objects is judged.
type Compare string

// The rules of comparison.
const (
	CompareAuto     Compare = "auto"
	CompareETag     Compare = "etag"
	CompareSize     Compare = "size"
	CompareChecksum Compare = "checksum"
)

// Copy says which objects are copied and how.
type Copy struct {
	Include      []string `json:"include"`
	Exclude      []string `json:"exclude"`
	Compare      Compare  `json:"compare"`
	Overwrite    string   `json:"overwrite"` // changed | never
	Tags         bool     `json:"tags"`
	StorageClass string   `json:"storage_class"`         // preserve, or S3's name of one
	ACL          string   `json:"acl"`                   // none | bucket-owner-full-control
	Archived     string   `json:"archived"`              // report | restore
	Restore      Restore  `json:"restore,omitzero"`      // with Archived: restore
	ObjectLock   string   `json:"object_lock,omitempty"` // none | preserve
	DeleteExtra  bool     `json:"delete_extra"`
	InFlight     int      `json:"in_flight"` // 0: adaptive ("auto")
	SecondPass   bool     `json:"second_pass"`
	Versions     Versions `json:"versions,omitempty"` // "": the current one
}

// CutOver says how to move off a source that is still being written to: deltas, and a final pass, before which
// the source may be frozen.
type CutOver struct {
	Passes    int      `json:"passes"` // deltas at most
	Until     int      `json:"until"`  // a delta that copies at most so many objects is the last
	Freeze    bool     `json:"freeze"`
	Statement string   `json:"statement,omitempty"` // Sid of our statement that denies writing; empty without Freeze
	Exempt    []string `json:"exempt,omitempty"`    // ARNs of who may write to the source all the same
}

// Freezes tells whether the plan denies writing to its sources for a while.
func (p *Plan) Freezes() bool { return p.CutOver != nil && p.CutOver.Freeze }

// Versions says which of a key's versions are copied. Its zero value is the current one, so that a plan without the word
// has the digest that it had before there was one.
type Versions string

// AllVersions copies every version and delete marker, in order.
const AllVersions Versions = "all"

// UnmarshalJSON reads the file's word.
func (v *Versions) UnmarshalJSON(data []byte) error {
	var word string
	if err := json.Unmarshal(data, &word); err != nil {
		return err
	}
	if *v = Versions(word); word == "current" {
		*v = ""
	}
	return nil
}

// AllVersions tells whether every version is copied.
func (c Copy) AllVersions() bool { return c.Versions == AllVersions }

// Restore says how archived objects are restored.
type Restore struct {
	Days int    `json:"days"`
	Tier string `json:"tier"` // Standard | Bulk | Expedited, as S3 calls them
	Wait string `json:"wait"` // a duration: how long a run stays for them
}

// Waits is how long a run stays for restores that are under way. The zero value is not at all.
func (r Restore) Waits() time.Duration {
	d, err := time.ParseDuration(r.Wait)
	if err != nil { // what the schema lets pass can be read, but for what no duration holds
		return 0
	}
	return d
}

// Level is a level of evidence.
type Level string

// The levels, weakest first.
const (
	LevelSize     Level = "size"
	LevelChecksum Level = "checksum"
	LevelBytes    Level = "bytes"
)

// Verify says which evidence is asked of every object, and what to do where there is none to compare.
type Verify struct {
	Level     Level  `json:"level"`
	Otherwise string `json:"otherwise"` // accept | bytes | fail
}

// Rule says when something is cleaned up.
type Rule string

// The clean-up rules.
const (
	Always      Rule = "always"       // at every end of a run: done, failed, interrupted
	AfterVerify Rule = "after-verify" // nothing failed and everything is verified as asked
	Keep        Rule = "keep"
	OnFailure   Rule = "on-failure" // of a freeze: at an end that is not verified; else a person lifts it
)

// Cleanup holds the rules that belong to the whole plan.
type Cleanup struct {
	AccessKey         Rule       `json:"access_key"`
	Policy            Rule       `json:"policy"`
	BucketPolicy      Rule       `json:"bucket_policy"`
	DestinationBucket Rule       `json:"destination_bucket"`
	Freeze            Rule       `json:"freeze,omitempty"` // Always or OnFailure; empty where nothing is frozen
	Instances         []Instance `json:"instances"`
}

// PairCleanup holds the rules for a pair's source.
type PairCleanup struct {
	SourceObjects Rule `json:"source_objects"`
	SourceBucket  Rule `json:"source_bucket"`
}

// An Instance is an EC2 instance to terminate when the copy is verified.
type Instance struct {
	ID      string `json:"id"`
	Account Side   `json:"account"`
	Region  string `json:"region,omitempty"` // the account's when empty
}

// Notify names the variable that holds the webhook's URL.
type Notify struct {
	WebhookEnv string `json:"webhook_env,omitempty"`
}

// Estimate is what the review's estimate of cost and time is made with. Zero and nil mean the default.
type Estimate struct {
	Currency           string `json:"currency,omitempty"`    // of Prices; "" is USD
	PricesFrom         string `json:"prices_from,omitempty"` // in words
	ObjectsPerSecond   int    `json:"objects_per_second,omitempty"`
	MegabytesPerSecond int    `json:"megabytes_per_second,omitempty"` // of 1,000,000 bytes
	Prices             Prices `json:"prices"`
}

// Prices are laid over the list prices. A price that is nil, or a class that is not there, has the list's.
type Prices struct {
	Copy      map[string]float64 `json:"copy,omitempty"`      // 1,000 COPY or PUT requests, by the class that is written
	Storage   map[string]float64 `json:"storage,omitempty"`   // a GB for a month, by class
	Retrieval map[string]float64 `json:"retrieval,omitempty"` // a GB, by the class that is read
	Restore   map[string]float64 `json:"restore,omitempty"`   // 1,000 requests, by the class that is restored
	List      *float64           `json:"list,omitempty"`      // 1,000 requests
	Get       *float64           `json:"get,omitempty"`       // 1,000 GET or HEAD requests
	KMS       *float64           `json:"kms,omitempty"`       // 10,000 requests
	Transfer  *float64           `json:"transfer,omitempty"`  // a GB between regions
	Internet  *float64           `json:"internet,omitempty"`  // a GB out of AWS
}

// StepID names a step of a program, such as "copy/tommy→tommy-b". It is stable
// from one compile of the same plan to the next, and is a key in state.
type StepID string
