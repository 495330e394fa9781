package main

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"xplan/internal/sandbox"
)

const (
	docsUser = "arn:aws:iam::" + sandbox.DestinationAccount + ":user/misterrodgers"
	docsRole = "arn:aws:iam::" + sandbox.DestinationAccount + ":role/copiers/tommy-copier"

	docsHead = `version: 1
name: tommy-to-b
accounts:
  source:      {id: "123456789012", profile: account-a-admin, region: us-west-2}
  destination: {id: "210987654321", profile: account-b-admin, region: us-west-2}
`
	docsByUser = docsHead + "principal: {arn: " + docsUser + ", credentials: access-key}\n"
	docsByRole = docsHead + "principal: {arn: " + docsRole + ", credentials: assume-role, create: true}\n"
	docsPair   = "buckets: [{source: tommy, destination: tommy-b}]\n"
)

// A grantCase runs a plan with administrators who hold the documents of docs/permissions.md, and no more.
type grantCase struct {
	name                string
	source, destination []string // documents beside the base
	drop                []string // Sids that the page says to leave out
	run                 func(t *testing.T, s *site)
}

func (s *site) user(t *testing.T) {
	t.Helper()
	if _, err := s.server.AddUser(sandbox.DestinationAccount, "misterrodgers"); err != nil {
		t.Fatal(err)
	}
}

func (s *site) bucket(t *testing.T, account, name string, o sandbox.BucketOptions) {
	t.Helper()
	if err := s.server.AddBucket(account, name, o); err != nil {
		t.Fatal(err)
	}
}

// tommy is the recipe's source.
func (s *site) tommy(t *testing.T) {
	t.Helper()
	s.bucket(t, sandbox.SourceAccount, "tommy", sandbox.BucketOptions{})
	s.fill(t, 5, sandbox.PutOptions{Tags: map[string]string{"team": "red"}})
}

func grantCases() []grantCase {
	return []grantCase{
		{name: "recipe", run: grantRecipe},
		{name: "changed plan", run: grantChanged},
		{name: "other's bucket", run: grantForeign},
		{name: "killed in an upload", run: grantKilled},
		{name: "permissions not managed", drop: []string{"LetThePrincipalIn", "KeepThePolicy", "KeepTheUsersKey", "AttachThatPolicyAlone"}, run: grantUnmanaged},
		{
			name: "role made", destination: []string{"destination assume-role", "destination create-role"},
			drop: []string{"KeepTheUsersKey", "AttachThatPolicyAlone"}, run: grantRole,
		},
		{name: "user made", destination: []string{"destination create-user"}, run: grantMadeUser},
		{name: "kms", source: []string{"source kms"}, destination: []string{"destination kms"}, run: grantKMS},
		{name: "move", source: []string{"source move"}, destination: []string{"destination move"}, run: grantMove},
		{name: "cut-over", source: []string{"source freeze"}, run: grantCutOver},
		{name: "restore", source: []string{"source restore"}, run: grantRestore},
		{name: "locks", source: []string{"source lock"}, destination: []string{"destination lock"}, run: grantLocks},
		{name: "versions", source: []string{"source versions"}, destination: []string{"destination versions"}, run: grantVersions},
		{
			name: "move of versions", source: []string{"source versions", "source versions move"},
			destination: []string{"destination versions", "destination versions move"}, run: grantMoveOfVersions,
		},
		{name: "deletions", destination: []string{"destination bucket"}, run: grantDeletions},
		{name: "instances", destination: []string{"destination instances"}, run: grantInstances},
	}
}

func grantRecipe(t *testing.T, s *site) {
	t.Helper()
	s.user(t)
	s.tommy(t)
	s.write(t, "plan.yaml", docsByUser+docsPair+"verify: {level: bytes}\n")
	review := s.xplan(t, 0, "plan", "plan.yaml")
	if strings.Contains(review, "not previewed") {
		t.Errorf("the documents leave something unseen:\n%s", review)
	}
	s.xplan(t, 0, "apply", "plan.yaml", "--yes")
	s.xplan(t, 0, "verify", "plan.yaml")
	s.xplan(t, 0, "apply", "plan.yaml", "--yes")
}

// grantChanged keeps the permissions, and changes the documents.
func grantChanged(t *testing.T, s *site) {
	t.Helper()
	s.user(t)
	s.tommy(t)
	keep := docsByUser + "cleanup: {policy: keep, bucket_policy: keep}\nbuckets: [{source: tommy, destination: tommy-b, settings: {versioning: true, tags: {team: red}}}]\n"
	s.write(t, "plan.yaml", keep)
	s.xplan(t, 0, "apply", "plan.yaml", "--yes")
	s.write(t, "plan.yaml", keep+"copy: {tags: false}\n")
	s.xplan(t, 0, "apply", "plan.yaml", "--yes")
	s.write(t, "plan.yaml", docsByUser+docsPair)
	s.xplan(t, 0, "cleanup", "plan.yaml", "--yes")
}

func grantForeign(t *testing.T, s *site) {
	t.Helper()
	s.user(t)
	s.bucket(t, sandbox.DestinationAccount, "tommy", sandbox.BucketOptions{})
	s.bucket(t, sandbox.SourceAccount, "tommy-b", sandbox.BucketOptions{})
	s.write(t, "plan.yaml", docsByUser+docsPair)
	out, err := s.command(t, "plan", "plan.yaml").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "belongs to another account") || !strings.Contains(string(out), "taken by another account") {
		t.Errorf("buckets of others: %v\n%s", err, out)
	}
}

// grantKilled leaves an upload behind, which the administrator aborts.
func grantKilled(t *testing.T, s *site) {
	t.Helper()
	s.user(t)
	s.tommy(t)
	if err := s.server.PutObject("tommy", "video", make([]byte, 12<<20), sandbox.PutOptions{PartSize: 5 << 20}); err != nil {
		t.Fatal(err)
	}
	begun := make(chan struct{})
	var once sync.Once
	heal := s.server.Inject(sandbox.Fault{Operation: "UploadPartCopy", Call: func() { once.Do(func() { close(begun) }) }, Delay: 300 * time.Millisecond})
	s.write(t, "plan.yaml", docsByUser+docsPair)
	cmd := s.command(t, "apply", "plan.yaml", "--yes")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-begun:
	case <-time.After(time.Minute):
		t.Error("no upload began")
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed, as was wanted
	heal()
	if s.server.Uploads("tommy-b") != 1 {
		t.Fatalf("%d uploads stand after the kill", s.server.Uploads("tommy-b"))
	}
	s.write(t, "plan.yaml", docsByUser+docsPair)
	s.xplan(t, 0, "cleanup", "plan.yaml", "--yes")
	if n := s.server.Uploads("tommy-b"); n != 0 {
		t.Errorf("%d uploads stand after the clean-up", n)
	}
}

func grantUnmanaged(t *testing.T, s *site) {
	t.Helper()
	s.user(t)
	s.tommy(t)
	key, err := s.server.AddAccessKey(docsUser)
	if err != nil {
		t.Fatal(err)
	}
	s.login(t, "misterrodgers", key.AccessKeyID, key.Secret)
	mine := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`
	if err := s.server.PutInlinePolicy(docsUser, "own", mine); err != nil {
		t.Fatal(err)
	}
	in := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + docsUser + `"},"Action":["s3:ListBucket","s3:GetObject","s3:GetObjectTagging"],"Resource":["arn:aws:s3:::tommy","arn:aws:s3:::tommy/*"]}]}`
	if err := s.server.SetBucketPolicy("tommy", in); err != nil {
		t.Fatal(err)
	}
	s.write(t, "plan.yaml", docsHead+"principal: {arn: "+docsUser+", credentials: profile, profile: misterrodgers}\npermissions: {manage: false}\n"+docsPair)
	s.xplan(t, 0, "apply", "plan.yaml", "--yes")
}

func grantRole(t *testing.T, s *site) {
	t.Helper()
	s.tommy(t)
	s.write(t, "plan.yaml", docsByRole+docsPair)
	s.xplan(t, 0, "apply", "plan.yaml", "--yes")
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + sandbox.DestinationAccount + `:root"},"Action":"sts:AssumeRole"}]}`
	if _, err := s.server.AddRole(sandbox.DestinationAccount, "tommy-copier", trust); err != nil {
		t.Fatal(err)
	}
	s.write(t, "plan.yaml", strings.NewReplacer(", create: true", "", "copiers/", "").Replace(docsByRole)+docsPair)
	s.xplan(t, 0, "plan", "plan.yaml")
}

func grantMadeUser(t *testing.T, s *site) {
	t.Helper()
	s.tommy(t)
	s.write(t, "plan.yaml", docsHead+"principal: {arn: "+docsUser+", credentials: access-key, create: true}\n"+docsPair)
	s.xplan(t, 0, "apply", "plan.yaml", "--yes")
}

func grantKMS(t *testing.T, s *site) {
	t.Helper()
	s.user(t)
	keys := keysOf(t, s)
	s.bucket(t, sandbox.SourceAccount, "tommy", sandbox.BucketOptions{Encryption: "aws:kms", KMSKey: keys[sandbox.SourceAccount]})
	s.fill(t, 3, sandbox.PutOptions{Encryption: "aws:kms", KMSKey: keys[sandbox.SourceAccount]})
	s.write(t, "plan.yaml", docsByUser+"buckets: [{source: tommy, destination: tommy-b, settings: {encryption: {algorithm: 'aws:kms', kms_key_id: '"+
		keys[sandbox.DestinationAccount]+"'}}}]\n")
	review := s.xplan(t, 0, "plan", "plan.yaml")
	if strings.Contains(review, "not previewed") {
		t.Errorf("the documents leave something unseen:\n%s", review)
	}
	s.xplan(t, 0, "apply", "plan.yaml", "--yes")
	s.xplan(t, 0, "verify", "plan.yaml") // by checksums, as the administrators
}

func grantMove(t *testing.T, s *site) {
	t.Helper()
	s.user(t)
	s.tommy(t)
	s.write(t, "plan.yaml", docsByUser+docsPair+"cleanup: {source_objects: after-verify, source_bucket: after-verify}\n")
	s.xplan(t, 0, "apply", "plan.yaml", "--yes", "--confirm=tommy")
	if left := s.server.Buckets(sandbox.SourceAccount); len(left) != 0 {
		t.Errorf("left in account A: %v", left)
	}
}

func grantCutOver(t *testing.T, s *site) {
	t.Helper()
	s.user(t)
	s.tommy(t)
	s.write(t, "plan.yaml", docsByUser+docsPair+"cutover: {freeze: true}\n")
	if said := s.xplan(t, 0, "apply", "plan.yaml", "--yes"); !strings.Contains(said, "a write is denied, 5 times in a row") {
		t.Errorf("nobody saw that the freeze holds:\n%s", said)
	}
}

func grantRestore(t *testing.T, s *site) {
	t.Helper()
	s.user(t)
	s.tommy(t)
	if err := s.server.PutObject("tommy", "cold", []byte("ice"), sandbox.PutOptions{StorageClass: "GLACIER"}); err != nil {
		t.Fatal(err)
	}
	s.write(t, "plan.yaml", docsByUser+docsPair+"copy: {archived: restore}\n")
	s.xplan(t, 4, "apply", "plan.yaml", "--yes")
	s.xplan(t, 0, "resume") // the sandbox restores at once
	if s.server.Count("RestoreObject") == 0 {
		t.Error("no restore was asked for")
	}
}

// grantDeletions deletes what only the destination has, as the principal; and a bucket that was made for nothing.
func grantDeletions(t *testing.T, s *site) {
	t.Helper()
	s.user(t)
	s.tommy(t)
	s.write(t, "plan.yaml", docsByUser+docsPair+"copy: {delete_extra: true}\n")
	s.xplan(t, 0, "apply", "plan.yaml", "--yes", "--confirm=tommy-b")
	if err := s.server.PutObject("tommy-b", "stray", []byte("x"), sandbox.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	s.xplan(t, 0, "apply", "plan.yaml", "--yes", "--confirm=tommy-b")
	if n := len(s.server.Objects("tommy-b")); n != 5 {
		t.Errorf("%d objects at the destination, want 5", n)
	}
	for _, o := range s.server.Objects("tommy-b") {
		s.server.RemoveObject("tommy-b", o.Key)
	}
	s.write(t, "plan.yaml", docsByUser+docsPair+"cleanup: {destination_bucket: always}\n")
	s.xplan(t, 0, "cleanup", "plan.yaml", "--yes")
	if left := s.server.Buckets(sandbox.DestinationAccount); len(left) != 0 {
		t.Errorf("left in account B: %v", left)
	}
}

func grantInstances(t *testing.T, s *site) {
	t.Helper()
	s.user(t)
	s.tommy(t)
	s.server.AddInstance(sandbox.DestinationAccount, "us-west-2", "i-0123456789abcdef0", false)
	s.write(t, "plan.yaml", docsByUser+docsPair+"cleanup: {instances: [{id: i-0123456789abcdef0, account: destination}]}\n")
	s.xplan(t, 0, "apply", "plan.yaml", "--yes")
	if state := s.server.InstanceState(sandbox.DestinationAccount, "i-0123456789abcdef0"); state == "running" {
		t.Error("the instance runs")
	}
}

// keysOf makes a KMS key in each account, once a site.
func keysOf(t *testing.T, s *site) map[string]string {
	t.Helper()
	var keys map[string]string
	path := filepath.Join(s.dir, "keys.json")
	if data, err := os.ReadFile(path); err == nil {
		if err := json.Unmarshal(data, &keys); err != nil {
			t.Fatal(err)
		}
		return keys
	}
	keys = map[string]string{}
	for _, account := range []string{sandbox.SourceAccount, sandbox.DestinationAccount} {
		arn, err := s.server.AddKMSKey(account, "us-west-2", "")
		if err != nil {
			t.Fatal(err)
		}
		keys[account] = arn
	}
	data, err := json.Marshal(keys)
	if err != nil {
		t.Fatal(err)
	}
	s.write(t, "keys.json", string(data))
	return keys
}

// operators makes both administrators of a case, each with the documents of the page, and returns their ARNs.
func operators(t *testing.T, s *site, c grantCase, docs map[string]string) []string {
	t.Helper()
	keys := keysOf(t, s)
	placeholders := strings.NewReplacer(
		"arn:aws:kms:us-west-2:123456789012:key/11111111-1111-1111-1111-111111111111", keys[sandbox.SourceAccount],
		"arn:aws:kms:us-west-2:210987654321:key/22222222-2222-2222-2222-222222222222", keys[sandbox.DestinationAccount],
	)
	var arns []string
	for _, side := range []struct {
		account, profile string
		names            []string
	}{
		{sandbox.SourceAccount, sandbox.SourceProfile, append([]string{"source"}, c.source...)},
		{sandbox.DestinationAccount, sandbox.DestinationProfile, append([]string{"destination"}, c.destination...)},
	} {
		arn, err := s.server.AddUser(side.account, "operator")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range side.names {
			if docs[name] == "" {
				t.Fatalf("docs/permissions.md has no document %q", name)
			}
			text := without(t, placeholders.Replace(docs[name]), c.drop)
			if err := s.server.AttachManagedPolicy(arn, strings.ReplaceAll(name, " ", "-"), text); err != nil {
				t.Fatal(err)
			}
		}
		key, err := s.server.AddAccessKey(arn)
		if err != nil {
			t.Fatal(err)
		}
		s.login(t, side.profile, key.AccessKeyID, key.Secret)
		arns = append(arns, arn)
	}
	return arns
}

// without leaves statements out of a document.
func without(t *testing.T, text string, sids []string) string {
	t.Helper()
	var doc struct {
		Version   string
		Statement []map[string]any
	}
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatalf("a document of docs/permissions.md: %v", err)
	}
	doc.Statement = slices.DeleteFunc(doc.Statement, func(s map[string]any) bool {
		sid, _ := s["Sid"].(string)
		return slices.Contains(sids, sid)
	})
	data, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestDocumentedAdministratorsCanDoTheirWork runs every case, and holds the documents to least
// privilege as well: an action that no case asked for does not belong there.
func TestDocumentedAdministratorsCanDoTheirWork(t *testing.T) {
	t.Parallel()
	docs := blocks(t, page(t, "permissions.md"), "policy")
	var mu sync.Mutex
	used := map[string]map[string]bool{"source": {}, "destination": {}}
	covered := map[string]bool{"source": true, "destination": true}
	t.Run("cases", func(t *testing.T) {
		for _, c := range grantCases() {
			for _, name := range slices.Concat(c.source, c.destination) {
				covered[name] = true
			}
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				s := newSite(t)
				arns := operators(t, s, c, docs)
				c.run(t, s)
				mu.Lock()
				defer mu.Unlock()
				for _, r := range s.server.Requests() {
					at := slices.Index(arns, r.Caller)
					if at < 0 {
						continue
					}
					used[[]string{"source", "destination"}[at]][r.Service+":"+r.Operation] = true
					frozen := c.name == "cut-over" && r.Operation == "UploadPart" // which is how the freeze is seen
					if r.Status == 403 && !frozen && c.name != "other's bucket" && c.name != "permissions not managed" {
						t.Errorf("%s may not %s:%s (%s/%s)", r.Caller, r.Service, r.Operation, r.Bucket, r.Key)
					}
				}
			})
		}
	})
	for name, text := range docs {
		if !covered[name] {
			t.Errorf("no case has the document %q", name)
		}
		side, _, _ := strings.Cut(name, " ")
		for _, action := range actionsOf(t, text) {
			if asked := operationsOf(action); !slices.ContainsFunc(asked, func(op string) bool { return used[side][op] }) {
				t.Errorf("%s: nobody asked for %s (%v)", name, action, asked)
			}
		}
	}
}

func actionsOf(t *testing.T, text string) []string {
	t.Helper()
	seen := map[string]bool{}
	for _, action := range regexp.MustCompile(`"((?:s3|iam|sts|kms|ec2):[A-Za-z]+)"`).FindAllStringSubmatch(text, -1) {
		if action[1] != "iam:PolicyARN" {
			seen[action[1]] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// operationsOf are the requests that ask for an action.
func operationsOf(action string) []string {
	odd := map[string][]string{
		"s3:ListBucket":                         {"s3:ListObjectsV2", "s3:HeadBucket"},
		"s3:GetEncryptionConfiguration":         {"s3:GetBucketEncryption"},
		"s3:PutEncryptionConfiguration":         {"s3:PutBucketEncryption"},
		"s3:GetBucketPublicAccessBlock":         {"s3:GetPublicAccessBlock"},
		"s3:PutBucketPublicAccessBlock":         {"s3:PutPublicAccessBlock"},
		"s3:PutBucketOwnershipControls":         {"s3:CreateBucket"},
		"s3:TagResource":                        {"s3:CreateBucket"},
		"s3:GetBucketObjectLockConfiguration":   {"s3:GetObjectLockConfiguration"},
		"s3:PutBucketObjectLockConfiguration":   {"s3:CreateBucket"},
		"s3:GetLifecycleConfiguration":          {"s3:GetBucketLifecycleConfiguration"},
		"s3:GetBucketCORS":                      {"s3:GetBucketCors"},
		"s3:GetReplicationConfiguration":        {"s3:GetBucketReplication"},
		"s3:GetBucketNotification":              {"s3:GetBucketNotificationConfiguration"},
		"s3:GetInventoryConfiguration":          {"s3:ListBucketInventoryConfigurations"},
		"s3:GetAnalyticsConfiguration":          {"s3:ListBucketAnalyticsConfigurations"},
		"s3:GetMetricsConfiguration":            {"s3:ListBucketMetricsConfigurations"},
		"s3:GetIntelligentTieringConfiguration": {"s3:ListBucketIntelligentTieringConfigurations"},
		"s3:GetAccelerateConfiguration":         {"s3:GetBucketAccelerateConfiguration"},
		"s3:ListAllMyBuckets":                   {"s3:ListBuckets"},
		"s3:GetObject":                          {"s3:GetObject", "s3:HeadObject"},
		"s3:PutObject":                          {"s3:UploadPart"},
		"s3:DeleteObject":                       {"s3:DeleteObject", "s3:DeleteObjects"},
		"s3:DeleteObjectVersion":                {"s3:DeleteObjects"}, // by its ID: see the case, which is given no other
		"s3:GetObjectVersionTagging":            {"s3:GetObjectTagging"},
		"s3:ListBucketVersions":                 {"s3:ListObjectVersions"},
		"s3:GetObjectVersion":                   {"s3:HeadObject"}, // by its ID: the administrators compare current objects by no other way here
		// Only a crash between the intent and the ID of an upload asks for the list: the test's kill comes later.
		"s3:ListBucketMultipartUploads": {"s3:ListMultipartUploads", "s3:AbortMultipartUpload"},
		"kms:Decrypt":                   {"s3:HeadObject", "s3:GetObject"},
		"iam:GetRolePolicy":             {"iam:ListRolePolicies"}, // the case's role has no inline policies
		"iam:TagPolicy":                 {"iam:CreatePolicy"},
		"iam:TagUser":                   {"iam:CreateUser"},
		"iam:TagRole":                   {"iam:CreateRole"},
	}
	if ops, ok := odd[action]; ok {
		return ops
	}
	return []string{action}
}

// TestPermissionsPageNamesEveryGrantedAction holds the principal's table to the compiled documents.
func TestPermissionsPageNamesEveryGrantedAction(t *testing.T) {
	t.Parallel()
	_, table, found := strings.Cut(page(t, "permissions.md"), "## What the principal gets")
	if !found {
		t.Fatal("the page does not say what the principal gets")
	}
	golden, err := filepath.Glob("../../internal/compile/testdata/documents/*.txt")
	if err != nil || len(golden) == 0 {
		t.Fatalf("no compiled documents: %v", err)
	}
	for _, path := range golden {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, action := range actionsOf(t, string(text)) {
			if action != "sts:AssumeRole" && action != "s3:prefix" && !strings.Contains(table, "`"+action+"`") {
				t.Errorf("%s grants %s, which the page does not name", filepath.Base(path), action)
			}
		}
	}
}
