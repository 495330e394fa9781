package plan_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xplan/plan"
)

func mustParse(tb testing.TB, text string) *plan.Plan {
	tb.Helper()
	p, err := plan.Parse("p.yaml", []byte(text))
	if err != nil {
		tb.Fatal(err)
	}
	if err := p.Check(); err != nil {
		tb.Fatalf("what was accepted is refused as JSON: %v", err)
	}
	return p
}

const spelledOut = `# the sound plan, in another order, with every default written
name: "tommy-to-b"
version: 1
notify: {}
verify: {level: checksum, otherwise: accept}
copy:
  include: ['**']
  exclude: []
  compare: auto
  overwrite: changed
  tags: true
  storage_class: preserve
  acl: none
  archived: report
  delete_extra: false
  in_flight: auto
  second_pass: false
cleanup:
  access_key: always
  policy: after-verify
  bucket_policy: after-verify
  source_objects: keep
  source_bucket: keep
  destination_bucket: keep
  instances: []
permissions:
  manage: true
  policy: s3_copy_by_pull_across_accounts
  statement: DelegateS3Access
  adopt: false
buckets:
- {destination: tommy-b, source: tommy, prefix: "", to_prefix: "", create: true, settings: {encryption: {algorithm: AES256, bucket_key: false}, versioning: false, tags: {}}, copy: {}, verify: {}, cleanup: {source_objects: keep}}
principal:
  credentials: access-key
  create: false
  arn: arn:aws:iam::210987654321:user/misterrodgers
accounts:
  destination: {provider: aws, id: '210987654321', profile: b, region: us-west-2}
  source:
    id: "123456789012"
    profile: a
    region: us-west-2
`

func TestADigestIsOfWhatThePlanSays(t *testing.T) {
	a, b := mustParse(t, sound), mustParse(t, spelledOut)
	if diff := plan.Differences(a, b); a.Digest() != b.Digest() || len(diff) != 0 {
		t.Errorf("spelling defaults out changes the digest: %v", diff)
	}
	crlf := mustParse(t, "\ufeff"+strings.ReplaceAll(sound, "\n", "\r\n"))
	if crlf.Digest() != a.Digest() {
		t.Error("line ends and a byte order mark change the digest")
	}
	if !strings.HasPrefix(a.Digest(), "sha256:") || len(a.Digest()) != len("sha256:")+64 {
		t.Errorf("digest %q", a.Digest())
	}
	c := mustParse(t, with("tommy-b", "tommy-c"))
	if c.Digest() == a.Digest() {
		t.Error("another destination has the same digest")
	}
}

// The digest is stored and compared across versions of the program.
func TestADigestStays(t *testing.T) {
	const want = "sha256:e532e9dbc70b83310d6002aafca84e0c5ab920bedbb06d72d2b05ef262ad41f6"
	if got := mustParse(t, sound).Digest(); got != want {
		t.Errorf("digest %s, want %s: a change of it makes every stored approval stale", got, want)
	}
}

func TestAStoredPlanComesBackAsItWas(t *testing.T) {
	for _, file := range exampleFiles(t) {
		p, err := plan.Load(file)
		if err != nil {
			t.Fatal(err)
		}
		q, err := plan.FromJSON(p.JSON())
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if !bytes.Equal(p.JSON(), q.JSON()) || p.Digest() != q.Digest() {
			t.Errorf("%s comes back as %s", file, cmp.Diff(string(p.JSON()), string(q.JSON())))
		}
		p.File, p.Positions, p.Warnings = "", nil, nil
		if diff := cmp.Diff(p, q); diff != "" {
			t.Errorf("%s: %s", file, diff)
		}
	}
}

func TestAStoredPlanOfAnotherVersionIsRefused(t *testing.T) {
	good := string(mustParse(t, sound).JSON())
	for _, text := range []string{
		"", "[]", "{}", good + "x", good + good,
		strings.Replace(good, `"version":1`, `"version":2`, 1),
		strings.Replace(good, `"version":1`, `"version":1,"new":true`, 1),
	} {
		if p, err := plan.FromJSON([]byte(text)); err == nil {
			t.Errorf("FromJSON(%.60q) = %+v", text, p)
		}
	}
}

func TestDifferencesNameWhatChanged(t *testing.T) {
	a := mustParse(t, sound)
	b := mustParse(t, with(pair, "  - source: tommy\n    destination: tommy-c\n    settings: {tags: {'a/b': x}}\ncopy: {exclude: ['*.tmp']}\n"))
	want := []plan.Difference{
		{Pointer: "/buckets/0/copy/exclude", Before: "[]"},
		{Pointer: "/buckets/0/copy/exclude/0", After: `"*.tmp"`},
		{Pointer: "/buckets/0/destination", Before: `"tommy-b"`, After: `"tommy-c"`},
		{Pointer: "/buckets/0/settings/tags/a~1b", After: `"x"`},
	}
	if diff := cmp.Diff(want, plan.Differences(a, b)); diff != "" {
		t.Error(diff)
	}
}

func TestAPairOverridesFieldByField(t *testing.T) {
	p := mustParse(t, with(pair, `  - source: tommy
    destination: tommy-b
    copy: {include: [x], tags: false, in_flight: auto}
    verify: {otherwise: fail}
    cleanup: {source_objects: keep}
  - source: other
    destination: other-b
copy: {include: [a, b, c], exclude: [d], acl: bucket-owner-full-control, in_flight: 64}
verify: {level: bytes}
`))
	one, two := p.Buckets[0], p.Buckets[1]
	if diff := cmp.Diff([]string{"x"}, one.Copy.Include); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"a", "b", "c"}, two.Copy.Include); diff != "" {
		t.Errorf("an override wrote into its neighbour: %s", diff)
	}
	if one.Copy.ACL != "bucket-owner-full-control" || one.Copy.Tags || one.Copy.InFlight != 0 || two.Copy.InFlight != 64 || !two.Copy.Tags {
		t.Errorf("copy %+v and %+v", one.Copy, two.Copy)
	}
	if one.Verify != (plan.Verify{Level: plan.LevelBytes, Otherwise: "fail"}) || two.Verify.Otherwise != "accept" {
		t.Errorf("verify %+v and %+v", one.Verify, two.Verify)
	}
}

func TestProfilesArePersonalAndLeaveTheDigestAlone(t *testing.T) {
	p := mustParse(t, sound)
	want := p.Digest()
	p.Accounts.Source.Profile, p.Accounts.Destination.Profile = "mine", "also-mine"
	if got := p.Digest(); got != want {
		t.Errorf("digest %s with other profiles, want %s", got, want)
	}
}
