package compile

import (
	"time"

	"xplan/plan"
)

// A World is all that was observed. It holds no secret.
type World struct {
	Identities map[plan.Side]Identity
	Buckets    map[BucketRef]Bucket
	Principal  PrincipalFacts
	Policies   []ManagedPolicy          // of the plan's policy name, and NAME-1 … NAME-n
	Keys       map[string]KMSKey        // by key ARN or ID as the buckets name it
	Instances  map[string]InstanceFacts // by ID
	Copies     map[string]CopyFacts     // by pair ID
	Owned      []Owned                  // from state, and what carries our tags
	Unseen     []Unseen
	// Settled are the sources that a run of the plan left frozen, all of them verified, for their writers to be switched;
	// from state. Whether the freeze stands still, their policies tell.
	Settled []string

	Held     *Lease             // another machine runs the plan just now
	Opinions map[string]Opinion // of IAM's policy simulator, by question: see Consult. Beside the facts, and not among them
}

// A BucketRef names a bucket of a side. Never an account of its own: the side's ID is the owner that is pinned.
type BucketRef struct {
	Side plan.Side
	Name string
}

// An Identity is what GetCallerIdentity answers.
type Identity struct {
	Account string
	ARN     string
	UserID  string
}

// Bucket holds the facts of one bucket. A nil or empty field was not set or could not be read: see World.Unseen.
type Bucket struct {
	Exists     bool
	Foreign    bool // the name is taken by another account
	Region     string
	Versioning string // "", Enabled, Suspended
	MFADelete  bool
	Ownership  string // "", BucketOwnerEnforced, BucketOwnerPreferred, ObjectWriter
	Encryption plan.Encryption
	// PublicAccess is nil where no block is set.
	PublicAccess    *PublicAccess
	Policy          string // JSON as read; "" is none
	PolicyIsPublic  bool
	RequesterPays   bool
	ObjectLock      bool
	Retention       Retention // that Object Lock gives to new objects by default
	Tags            map[string]string
	Configured      []string // what is set, sorted, of what a copy does not carry: "lifecycle", "cors", "replication", "notification", …
	Expiring        []Expiry // of lifecycle rules that are enabled
	Replication     bool
	CreatedUnixNano int64 // creation time, where known; 0
}

// EventBridge stands among what is configured where every event of a bucket goes there.
const EventBridge = "EventBridge notification"

// An Expiry is a lifecycle rule that deletes objects.
type Expiry struct {
	Rule   string // its ID; may be ""
	Prefix string // of the keys that it is about
	Days   int    // after an object arrived; 0: by Date
	Date   string // from this day on, at once: 2026-11-29
	Narrow bool   // it asks for tags or sizes as well
	Past   bool   // it is about versions that are not current: Days count from the arrival of the one in front
	Newest int    // so many of these it keeps
}

// PublicAccess is a bucket's public access block.
type PublicAccess struct {
	BlockACLs, IgnoreACLs, BlockPolicy, RestrictBuckets bool
}

// Retention is a bucket's default retention; the zero value is none.
type Retention struct {
	Mode        string // GOVERNANCE or COMPLIANCE
	Days, Years int    // one of both
}

// All tells whether everything is blocked.
func (p *PublicAccess) All() bool {
	return p != nil && p.BlockACLs && p.IgnoreACLs && p.BlockPolicy && p.RestrictBuckets
}

// PrincipalFacts are those of the plan's principal.
type PrincipalFacts struct {
	Exists   bool
	ARN      string
	UserID   string // AIDA… or AROA…
	Role     bool
	Boundary string
	Trust    string // a role's trust policy, JSON
	Keys     []AccessKey
	Attached []string          // ARNs of attached managed policies
	Tags     map[string]string // ours carry PlanTag

	Policies PrincipalPolicies
}

// PrincipalPolicies are a principal's policies but for those that the plan has or wants: attached, inline, and those of a user's groups.
type PrincipalPolicies struct {
	Documents []PolicyText
	Boundary  string // its JSON; "" where there is none, or it could not be read
	Complete  bool   // all of them could be read; else World.Unseen says which could not
}

// A PolicyText is one policy of a user or role.
type PolicyText struct {
	Name     string
	ARN      string // of a managed one; "" is inline
	Group    string // that the policy comes by; "" is its own
	Document string // JSON
}

// Label names the policy for people: "inline policy admin of group ops".
func (t PolicyText) Label() string {
	label := "inline policy " + t.Name
	if t.ARN != "" {
		label = "policy " + t.Name
	}
	if t.Group != "" {
		label += " of group " + t.Group
	}
	return label
}

// An AccessKey is the public half of an access key.
type AccessKey struct {
	ID      string
	Active  bool
	Created time.Time
}

// A ManagedPolicy is one customer managed policy.
type ManagedPolicy struct {
	Exists   bool
	ARN      string
	Name     string
	ID       string // ANPA…: another policy of the same name has another
	Default  string // version ID
	Versions int
	Document string // of the default version, JSON
	Tags     map[string]string
	Attached []string // ARNs of users, roles and groups (groups as name)

	At time.Time // of the answer, by the server's clock; zero where it told none
}

// A KMSKey is a source's or destination's key.
type KMSKey struct {
	ARN        string
	AWSManaged bool   // aws/s3: cannot be read from another account
	State      string // Enabled, Disabled, PendingDeletion, …
	Policy     string // JSON; "" where it could not be read
	Grants     []Grant
}

// A Grant of a KMS key.
type Grant struct {
	ID, Name, Grantee string
	Operations        []string
}

// InstanceFacts are those of an EC2 instance.
type InstanceFacts struct {
	Exists    bool
	State     string // running, stopped, terminated, …
	Protected bool   // against termination
}

// CopyFacts is the engine's answer with the copy switched off.
type CopyFacts struct {
	Known   bool `json:"known"`             // false: --no-scan, or the listing was denied (Unseen says)
	Partial bool `json:"partial,omitempty"` // stopped at the first thing to do: counts are not final

	Listed     Count `json:"listed"`
	New        Count `json:"new"`
	Changed    Count `json:"changed"`
	Same       Count `json:"same"`
	Skipped    Count `json:"skipped"`
	Unreadable Count `json:"unreadable"`
	Extra      Count `json:"extra"`

	SameBy       map[string]Count    `json:"same_by,omitempty"`       // by evidence: etag, checksum, bytes, size_only
	SkippedBy    map[string]Count    `json:"skipped_by,omitempty"`    // filtered, archived, kept
	ChangedBy    map[string]Count    `json:"changed_by,omitempty"`    // size, checksum, etag, attributes, unknown (nothing but the size compares), versions (some are missing)
	UnreadableBy map[string]Count    `json:"unreadable_by,omitempty"` // customer_key (SSE-C), foreign_owner, denied, key (no place for it), error
	Classes      map[string]Count    `json:"classes,omitempty"`       // of the source's listing
	Work         map[string]Work     `json:"work,omitempty"`          // New and Changed, by the source's storage class
	Samples      map[string][]Sample `json:"samples,omitempty"`       // by verdict
	ArchivedBy   map[string]Count    `json:"archived_by,omitempty"`   // SkippedBy's archived, by storage class
	Thawing      Count               `json:"thawing,omitzero"`        // of New and Changed: archived, and their restore is under way
	Restores     Restores            `json:"restores,omitzero"`       // of a run that goes on
	Locks        LockFacts           `json:"locks,omitzero"`          // where locks are kept
	Largest      Sample              `json:"largest"`
	Versions     *VersionFacts       `json:"versions,omitempty"`    // with copy.versions: all, of which the counts above are of keys
	LongestKey   int                 `json:"longest_key,omitempty"` // bytes of the longest key of the source; 0: not known
}

// VersionFacts count what the keys of a pair are made of, and what of it the destination has not.
type VersionFacts struct {
	Versions      Count `json:"versions"`
	Markers       int64 `json:"delete_markers"`
	ToCopy        Count `json:"versions_to_copy"`
	MarkersToMake int64 `json:"delete_markers_to_make"`
}

// Count is a number of objects and their bytes.
type Count struct {
	Objects int64 `json:"objects"`
	Bytes   int64 `json:"bytes"`
}

// Work is what is to be written of one storage class of the source.
type Work struct {
	Objects int64 `json:"objects"`
	Bytes   int64 `json:"bytes"`
	Small   Count `json:"small"`            // of these, the ones below 128 KiB
	Frozen  Count `json:"frozen"`           // of these, the archived ones, which are restored first
	Thawing Count `json:"thawing,omitzero"` // of the frozen ones, those whose restore is paid for already
	ByParts int64 `json:"by_parts"`         // how many are copied by parts
	Parts   int64 `json:"parts"`            // and by how many
}

// A Sample is one key of a verdict.
type Sample struct {
	Key    string `json:"key"`
	Size   int64  `json:"size"`
	Reason string `json:"reason,omitempty"`
}

// LockFacts are what the scan saw of Object Lock: of equal objects alone, since what is new is not asked before it is copied.
type LockFacts struct {
	Compared   Count     `json:"compared"`       // whose locks were read on both sides
	Weaker     Count     `json:"weaker"`         // of these, the ones to be locked at the destination
	Earlier    Count     `json:"earlier"`        // that an earlier run has compared
	Compliance Count     `json:"compliance"`     // of the compared
	Until      time.Time `json:"until,omitzero"` // the latest retention seen
}

// Restores are how the restores stand that a run has asked for.
type Restores struct {
	Ready    int64     `json:"ready"`     // can be read now
	UnderWay int64     `json:"under_way"` // cannot yet
	Lapsed   int64     `json:"lapsed"`    // ran out before they were copied: they are asked for again
	Since    time.Time `json:"since,omitzero"`
}

// Waits tells whether nothing is to be done but to wait for restores.
func (c CopyFacts) Waits() bool { return c.Known && c.Thawing.Objects > 0 && !c.ToDo() }

// ToDo tells whether the copy would write anything, as far as is known: a partial scan stopped at
// the first key that there is something to do for.
func (c CopyFacts) ToDo() bool {
	return !c.Known || c.Partial || c.New.Objects+c.Changed.Objects-c.Thawing.Objects+c.Locks.Weaker.Objects > 0
}

// Owned is something that a run of this plan made, or intends to make. What is not owned is never removed.
//
//	kind                   subject      parent         digest
//	destination.bucket     bucket                      –
//	principal              ARN                         –
//	iam.policy             ARN                         of the document
//	iam.attachment         policy's ARN principal's    –
//	kms.grant              grant's name key's ARN      –
//	source.bucket_policy   bucket       Sid            of the statement
//	source.freeze          bucket       Sid            of the statement
//	credentials            key ID ("")  user           – (an intent has no key ID, but Before)
//	copy                   pair ID                     – (uploads that may still stand)
type Owned struct {
	Kind    Kind // the step kind that makes it
	Side    plan.Side
	Subject string
	Parent  string
	Digest  string   // of the statement or document
	Intent  bool     // intended, and not known to be done
	Before  []string // IDs of the keys that the user had; digests that the statement had; see KnownBy
	Since   time.Time
}

// Unseen is something that could not be observed, and why.
type Unseen struct {
	What  string // "KMS grants of arn:…"
	Why   string // "kms:ListGrants denied"
	About string // "principal", "policies", "key:ID", "scan:PAIR" where Observe met it; UnseenBucketPolicy and the like; else empty
}

// UnseenBucketPolicy is what Unseen.About says of a bucket's policy that could not be read.
func UnseenBucketPolicy(bucket string) string { return "bucket policy:" + bucket }

// UnseenObjectLock is what Unseen.About says of a bucket whose Object Lock could not be read.
func UnseenObjectLock(bucket string) string { return "object lock:" + bucket }

// UnseenGrants is what Unseen.About says of a key's grants that could not be read.
func UnseenGrants(keyARN string) string { return "grants:" + keyARN }
