package compile

import (
	"xplan/plan"
)

// Kind is a step's kind: the vocabulary of code, events and docs.
type Kind string

// The step kinds.
const (
	KindIdentity     Kind = "identity.check"
	KindInspect      Kind = "source.inspect"
	KindBucket       Kind = "destination.bucket"
	KindPrincipal    Kind = "principal"
	KindPolicy       Kind = "iam.policy"
	KindAttachment   Kind = "iam.attachment"
	KindGrant        Kind = "kms.grant"
	KindBucketPolicy Kind = "source.bucket_policy"
	KindCredentials  Kind = "credentials"
	KindProbe        Kind = "access.probe"
	KindCopy         Kind = "copy"
	KindVerify       Kind = "verify"

	// Of a cut-over: deltas behind the copy, a freeze of the source and the proof that it holds, and the final pass.
	KindDelta       Kind = "copy.delta"
	KindFreeze      Kind = "source.freeze"
	KindFreezeProbe Kind = "freeze.probe"
	KindFinal       Kind = "copy.final"

	KindCleanUploads           Kind = "cleanup.uploads"
	KindCleanKey               Kind = "cleanup.access_key"
	KindCleanBucketPolicy      Kind = "cleanup.bucket_policy"
	KindCleanFreeze            Kind = "cleanup.freeze"
	KindCleanGrant             Kind = "cleanup.kms_grant"
	KindCleanAttachment        Kind = "cleanup.attachment"
	KindCleanPolicy            Kind = "cleanup.policy"
	KindCleanPrincipal         Kind = "cleanup.principal"
	KindCleanInstance          Kind = "cleanup.instance"
	KindCleanSourceObjects     Kind = "cleanup.source_objects"
	KindCleanSourceBucket      Kind = "cleanup.source_bucket"
	KindCleanDestinationBucket Kind = "cleanup.destination_bucket"

	// KindCleanExtra deletes what is at the destination only (copy.delete_extra), as the principal. It is a
	// step of its own because its Confirm must not hold back the copy: it lists again after the verification.
	KindCleanExtra Kind = "cleanup.extra_objects"
)

// PlanTag and DigestTag are the tags by which what a plan made is found again when state is lost.
const (
	PlanTag   = "xplan:plan"
	DigestTag = "xplan:digest"
)

// Action is what a step does to the world.
type Action string

// The actions.
const (
	Hold   Action = "hold" // holds already: does nothing but check
	Create Action = "create"
	Update Action = "update"
	Delete Action = "delete"
	Run    Action = "run"  // copy, verify, probe, check
	Wait   Action = "wait" // something must be said by a person first
)

// A Program is a compiled plan: steps in an order in which each comes after all that it names.
type Program struct {
	Name        string    `json:"name"`
	PlanDigest  string    `json:"plan_digest"`
	WorldDigest string    `json:"world_digest"` // of the facts that the steps depend on
	Steps       []Step    `json:"steps"`
	Warnings    []Warning `json:"warnings,omitempty"`
	Unseen      []Unseen  `json:"unseen,omitempty"`
	Findings    []Finding `json:"findings,omitempty"` // of the preflight, the gravest first
	Estimate    *Estimate `json:"estimate,omitempty"` // of all copies; nil: nothing is copied
	Assumed     bool      `json:"assumed,omitempty"`  // --no-scan: work is assumed
	Facts       []Fact    `json:"facts"`              // what WorldDigest is of, sorted by name
}

// A Warning is something the reviewer has to know. Danger stands out.
type Warning struct {
	Subject string `json:"subject"`
	Text    string `json:"text"`
	Danger  bool   `json:"danger,omitempty"`
}

// A Step is one thing to do or to find done. It is data.
type Step struct {
	ID      plan.StepID `json:"id"`
	Kind    Kind        `json:"kind"`
	Side    plan.Side   `json:"side"`
	Pair    string      `json:"pair,omitempty"` // pair ID
	Subject string      `json:"subject"`        // for people: "210987654321/tommy-b", "user/misterrodgers"
	Action  Action      `json:"action"`

	// Needs must have succeeded (or hold) before; After must have ended, however they ended.
	Needs []plan.StepID `json:"needs,omitempty"`
	After []plan.StepID `json:"after,omitempty"`

	// Rule is a clean-up's; Always steps run at every end of a run.
	Rule plan.Rule `json:"rule,omitempty"`
	// Confirm names the bucket that a person must have confirmed. Empty: nothing to confirm.
	Confirm string `json:"confirm,omitempty"`
	// AsksLate: nobody knows yet whether there is anything to confirm. The runner finds out, and asks itself.
	AsksLate bool `json:"asks_late,omitempty"`

	Change Change `json:"change"`
	Spec   Spec   `json:"spec"`
}

// A Change is what the review shows of a step.
type Change struct {
	Lines     []Line     `json:"lines,omitempty"`
	Preserved []string   `json:"preserved,omitempty"` // labels of others' statements
	Copy      *CopyFacts `json:"copy,omitempty"`
	Estimate  *Estimate  `json:"estimate,omitempty"` // of a copy; nil: nobody knows what there is to copy
	Danger    string     `json:"danger,omitempty"`   // "DELETE 1,500,000 source objects in tommy", IRREVERSIBLE is said by the view
	Note      string     `json:"note,omitempty"`     // "secret withheld: never shown or stored"
}

// A Line is one line of a change: Sign is +, ~, -, = or !.
type Line struct {
	Sign string `json:"sign"`
	Text string `json:"text"`
}

// Spec is what the runner of a step's kind needs: exactly one field is set.
type Spec struct {
	Identity    *IdentitySpec    `json:"identity,omitempty"`
	Inspect     *BucketSpec      `json:"inspect,omitempty"`
	Bucket      *BucketSpec      `json:"bucket,omitempty"`
	Principal   *PrincipalSpec   `json:"principal,omitempty"`
	Policy      *PolicySpec      `json:"policy,omitempty"`
	Attachment  *AttachmentSpec  `json:"attachment,omitempty"`
	Grant       *GrantSpec       `json:"grant,omitempty"`
	Statement   *StatementSpec   `json:"statement,omitempty"`
	Freeze      *FreezeSpec      `json:"freeze,omitempty"`
	Credentials *CredentialsSpec `json:"credentials,omitempty"`
	Probe       *ProbeSpec       `json:"probe,omitempty"`
	Copy        *CopySpec        `json:"copy,omitempty"`
	Instance    *InstanceSpec    `json:"instance,omitempty"`
}

// IdentitySpec pins an account.
type IdentitySpec struct {
	Account string `json:"account"`
}

// BucketSpec is a bucket to inspect, create or remove. On AWS the settings are complete: a created bucket has all
// public access blocked, BucketOwnerEnforced, and Settings.Encryption. Without an Account (s3-compatible) only
// what Settings says is asked for.
type BucketSpec struct {
	Name     string              `json:"name"`
	Account  string              `json:"account"`
	Region   string              `json:"region"`
	Settings plan.BucketSettings `json:"settings"`
	Tags     map[string]string   `json:"tags,omitempty"` // ours, beside the settings'
	// OnlyRecord: at a clean-up, nothing is deleted. There is a record, and no bucket of ours.
	OnlyRecord bool `json:"only_record,omitempty"`
}

// PrincipalSpec is a user or role to find or make.
type PrincipalSpec struct {
	ARN      string            `json:"arn"`
	Role     bool              `json:"role"`
	Name     string            `json:"name"`
	Path     string            `json:"path"`
	Boundary string            `json:"boundary,omitempty"`
	Trust    string            `json:"trust,omitempty"` // JSON, of a created role
	Create   bool              `json:"create"`
	Tags     map[string]string `json:"tags,omitempty"`
}

// PolicySpec is a managed policy.
type PolicySpec struct {
	ARN      string            `json:"arn"`
	Name     string            `json:"name"`
	Document string            `json:"document"` // JSON, canonical
	Digest   string            `json:"digest"`
	Tags     map[string]string `json:"tags,omitempty"`
	Adopt    bool              `json:"adopt,omitempty"`
}

// AttachmentSpec attaches a policy to the principal.
type AttachmentSpec struct {
	PolicyARN string `json:"policy_arn"`
	Principal string `json:"principal"` // ARN
}

// GrantSpec is a grant on a source's key.
type GrantSpec struct {
	KeyARN     string   `json:"key_arn"`
	Region     string   `json:"region"`
	Principal  string   `json:"principal"`
	Operations []string `json:"operations"`
	Name       string   `json:"name"`
}

// StatementSpec is our one statement in a bucket's policy.
type StatementSpec struct {
	Bucket    string `json:"bucket"`
	Account   string `json:"account"`
	Region    string `json:"region"`
	Sid       string `json:"sid"`
	Statement string `json:"statement"` // JSON
	Digest    string `json:"digest"`
	Reviewed  string `json:"reviewed"` // StandingDigest of the policy as it was reviewed; at a clean-up, as it stands with ours
	Adopt     bool   `json:"adopt,omitempty"`
	MadeWhole bool   `json:"made_whole,omitempty"` // the policy itself was made by the run: removed when empty
	// Live maps unique IDs, which S3 shows in place of principals now and then, to the ARNs of live
	// principals: apply Document.WithPrincipals before comparing.
	Live map[string]string `json:"live,omitempty"`
}

// FreezeSpec denies writing to a source: to all that the pairs copy of it.
type FreezeSpec struct {
	Bucket  string `json:"bucket"`
	Account string `json:"account"`
	Region  string `json:"region"`
	// Statements of ours, one or two: written in order, taken out in reverse. Each one's Reviewed is of the policy that
	// the one before it left.
	Statements []StatementSpec `json:"statements"`
	Prefixes   []string        `json:"prefixes"` // what is frozen
	Pairs      []string        `json:"pairs"`    // IDs of those that copy from there
	// HoldsVerified: at a clean-up, where every pair is verified the freeze stays until a person lifts it.
	HoldsVerified bool `json:"holds_verified,omitempty"`
}

// Location is the bucket that is frozen.
func (s FreezeSpec) Location() Location {
	return Location{Bucket: s.Bucket, Account: s.Account, Region: s.Region}
}

// CredentialsSpec says how the principal signs.
type CredentialsSpec struct {
	Kind      plan.CredentialKind `json:"kind"` // empty: the destination's own credentials
	Principal string              `json:"principal"`
	UserName  string              `json:"user_name,omitempty"`
	Profile   string              `json:"profile,omitempty"`
	NoteOn    string              `json:"note_on,omitempty"` // ARN of our policy, whose KeyTag tells of the key; "" notes nothing
	KeyID     string              `json:"key_id,omitempty"`  // cleanup.access_key of a key left over by an earlier run; empty: the one that this run makes
}

// ProbeSpec lists the legs that must answer, as the principal.
type ProbeSpec struct {
	Pair              plan.Pair `json:"pair"`
	SourceAccount     string    `json:"source_account"`
	SourceRegion      string    `json:"source_region"`
	DestAccount       string    `json:"destination_account"`
	DestRegion        string    `json:"destination_region"`
	Legs              []Leg     `json:"legs"`
	SourceKMS         string    `json:"source_kms,omitempty"`
	DestinationKMS    string    `json:"destination_kms,omitempty"`
	PrincipalARN      string    `json:"principal_arn"`
	FreshlyMade       bool      `json:"freshly_made"`        // something changed just now: AccessDenied counts as passing for up to 5 minutes
	StatementInPolicy string    `json:"statement,omitempty"` // the Sid, for explanations
	RequesterPays     bool      `json:"requester_pays,omitempty"`
	Locks             bool      `json:"locks,omitempty"`      // as CopySpec's
	Doubts            []Finding `json:"doubts,omitempty"`     // what the preflight found about the pair: the likely causes of a denial
	UploadKey         string    `json:"upload_key,omitempty"` // of the upload that proves writing: the runner's, recorded before it is made
}

// Source is where the pair's objects are read.
func (s ProbeSpec) Source() Location {
	return Location{Bucket: s.Pair.Source, Account: s.SourceAccount, Region: s.SourceRegion, RequesterPays: s.RequesterPays}
}

// Destination is where they are written.
func (s ProbeSpec) Destination() Location {
	return Location{Bucket: s.Pair.Destination, Account: s.DestAccount, Region: s.DestRegion}
}

// A Leg is one access that the copy needs.
type Leg string

// The legs, in the order in which they are probed.
const (
	LegIdentity    Leg = "identity"         // GetCallerIdentity as the principal
	LegListSource  Leg = "list source"      // s3:ListBucket
	LegReadSource  Leg = "read source"      // HEAD and GET of bytes 0-0
	LegTagsSource  Leg = "read tags"        // s3:GetObjectTagging
	LegLocksSource Leg = "read locks"       // s3:GetObjectRetention and s3:GetObjectLegalHold
	LegListDest    Leg = "list destination" // s3:ListBucket
	LegWriteDest   Leg = "write destination"

	// With copy.versions: all.
	LegVersionsSource Leg = "list source versions"      // s3:ListBucketVersions
	LegReadVersion    Leg = "read source versions"      // GET of bytes 0-0 of one, and its tags where they are copied
	LegVersionsDest   Leg = "list destination versions" // s3:ListBucketVersions
)

// CopySpec is a pair's copy, verification, or the deletion of its source's objects.
type CopySpec struct {
	Pair          plan.Pair `json:"pair"`
	SourceAccount string    `json:"source_account"`
	SourceRegion  string    `json:"source_region"`
	DestAccount   string    `json:"destination_account"`
	DestRegion    string    `json:"destination_region"`
	Streaming     bool      `json:"streaming,omitempty"` // the servers cannot see each other
	NothingToDo   bool      `json:"nothing_to_do,omitempty"`
	RequesterPays bool      `json:"requester_pays,omitempty"` // the source's: requests must say that they pay
	Locks         bool      `json:"locks,omitempty"`          // copies carry their source's Object Lock
	LocksLeft     bool      `json:"locks_left,omitempty"`     // the source has Object Lock, and the plan does not keep it
	Redirects     bool      `json:"redirects,omitempty"`      // copies carry their source's website redirect
	// AsAdministrators: the program has no credentials step, since nothing is copied. Each side's
	// administrator reads its own bucket.
	AsAdministrators bool `json:"as_administrators,omitempty"`
	// Settled: the source is frozen since all of it was verified, and what differs at the destination was written there: it is
	// never replaced.
	Settled bool `json:"settled,omitempty"`
	// Preliminary: a final pass follows, and settles what fails here.
	Preliminary bool `json:"preliminary,omitempty"`
	// Of a cut-over's deltas and its final pass.
	Passes int  `json:"passes,omitempty"` // deltas at most
	Until  int  `json:"until,omitempty"`  // a delta that copies at most so many objects is the last
	Frozen bool `json:"frozen,omitempty"` // nobody writes to the source during the final pass
	// Principal is who copies, for explanations; Doubts as ProbeSpec's.
	Principal string    `json:"principal,omitempty"`
	Doubts    []Finding `json:"doubts,omitempty"`
}

// Source is where the pair's objects are read.
func (s CopySpec) Source() Location {
	return Location{
		Bucket: s.Pair.Source, Account: s.SourceAccount, Region: s.SourceRegion, RequesterPays: s.RequesterPays, Versions: s.Pair.Copy.AllVersions(),
	}
}

// Destination is where they are written.
func (s CopySpec) Destination() Location {
	return Location{Bucket: s.Pair.Destination, Account: s.DestAccount, Region: s.DestRegion, Versions: s.Pair.Copy.AllVersions()}
}

// InstanceSpec is an instance to terminate.
type InstanceSpec struct {
	ID      string `json:"id"`
	Account string `json:"account"`
	Region  string `json:"region"`
}

// A Location is a bucket to open: always with the account that must own it ("" at servers without accounts).
type Location struct {
	Bucket  string `json:"bucket"`
	Region  string `json:"region"`
	Account string `json:"account,omitempty"`
	// RequesterPays: requests must say that who asks pays for them.
	RequesterPays bool `json:"requester_pays,omitempty"`
	// Versions: listings are to give each key with all its versions.
	Versions bool `json:"-"`
	// Owners: listings are to tell each object's owner.
	Owners bool `json:"-"`
}
