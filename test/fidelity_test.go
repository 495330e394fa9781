package test

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"xplan/internal/sandbox"
)

// A portrait is all that a server tells of an object.
type portrait struct {
	head  *s3.HeadObjectOutput
	body  string
	parts int32  // 0 where it is of one piece
	first int64  // bytes of the first part
	tags  string // sorted
	acl   int    // grants beside the owner's
	owner string
}

// portrait asks for it through the bare SDK.
func (s side) portrait(t *testing.T, bucket, key string) portrait {
	t.Helper()
	head, err := s.s3.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &bucket, Key: &key, ChecksumMode: types.ChecksumModeEnabled})
	if err != nil {
		t.Fatalf("head %q: %v", key, err)
	}
	p := portrait{head: head}
	got, err := s.s3.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: &key}, func(o *s3.Options) {
		o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired // moto's CRC64NVME is none
	})
	if err != nil {
		t.Fatalf("get %q: %v", key, err)
	}
	defer got.Body.Close()
	body, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatalf("read %q: %v", key, err)
	}
	p.body = string(body)
	if part, err := s.s3.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &bucket, Key: &key, PartNumber: aws.Int32(1)}); err == nil && part.PartsCount != nil {
		p.parts, p.first = *part.PartsCount, aws.ToInt64(part.ContentLength)
	}
	tags, err := s.s3.GetObjectTagging(t.Context(), &s3.GetObjectTaggingInput{Bucket: &bucket, Key: &key})
	if err != nil {
		t.Fatalf("tags of %q: %v", key, err)
	}
	var all []string
	for _, tag := range tags.TagSet {
		all = append(all, *tag.Key+"="+*tag.Value)
	}
	slices.Sort(all)
	p.tags = strings.Join(all, "&")
	if acl, err := s.s3.GetObjectAcl(t.Context(), &s3.GetObjectAclInput{Bucket: &bucket, Key: &key}); err == nil {
		p.acl, p.owner = len(acl.Grants)-1, aws.ToString(acl.Owner.ID)
	}
	return p
}

// A attribute is what a copy can keep or lose.
type attribute struct {
	of   func(p portrait) string
	crcs bool // of the objects whose checksum is CRC64NVME over all their bytes, as S3 makes by itself
}

// attributes are by the words of the page's table.
var attributes = map[string]attribute{
	"bytes":          {of: func(p portrait) string { return p.body }},
	"`x-amz-meta-*`": {of: func(p portrait) string { return fmt.Sprint(p.head.Metadata) }},
	"`Content-Type`": {of: func(p portrait) string { return aws.ToString(p.head.ContentType) }},
	"`Content-Encoding`, `Content-Language`, `Content-Disposition`": {of: func(p portrait) string {
		return aws.ToString(p.head.ContentEncoding) + "|" + aws.ToString(p.head.ContentLanguage) + "|" + aws.ToString(p.head.ContentDisposition)
	}},
	"`Cache-Control`":                      {of: func(p portrait) string { return aws.ToString(p.head.CacheControl) }},
	"`Expires`, also what is no date":      {of: func(p portrait) string { return aws.ToString(p.head.ExpiresString) }},
	"tags, ten of them":                    {of: func(p portrait) string { return p.tags }},
	"storage class":                        {of: func(p portrait) string { return string(p.head.StorageClass) }},
	"website redirect":                     {of: func(p portrait) string { return aws.ToString(p.head.WebsiteRedirectLocation) }},
	"ETag":                                 {of: func(p portrait) string { return aws.ToString(p.head.ETag) }},
	"layout of parts":                      {of: func(p portrait) string { return fmt.Sprint(p.parts, p.first) }},
	"checksum: SHA256, composite by parts": {of: sums},
	"checksum: CRC64NVME, of the whole":    {of: sums, crcs: true},
	"ACL":                                  {of: func(p portrait) string { return fmt.Sprint(p.acl) }},
	"owner":                                {of: func(p portrait) string { return p.owner }},
	"version ID":                           {of: func(p portrait) string { return aws.ToString(p.head.VersionId) }},
	"`Last-Modified`":                      {of: func(p portrait) string { return p.head.LastModified.Format(time.RFC3339) }},
}

// sums are an object's checksums.
func sums(p portrait) string {
	h := p.head
	return fmt.Sprint(h.ChecksumType, aws.ToString(h.ChecksumCRC32), aws.ToString(h.ChecksumCRC32C), aws.ToString(h.ChecksumCRC64NVME),
		aws.ToString(h.ChecksumSHA1), aws.ToString(h.ChecksumSHA256))
}

// A way is how bytes come over.
type way struct {
	name      string // as the table's column
	parts     bool   // of an object that was uploaded by parts
	streaming bool   // between two servers
}

var ways = []way{
	{"one `CopyObject`", false, false},
	{"by parts", true, false},
	{"through this machine", false, true},
	{"through it, by parts", true, true},
}

// fidelityTable is the page's table: by attribute, what becomes of it on each way.
func fidelityTable(t *testing.T) map[string][]string {
	t.Helper()
	page, err := os.ReadFile(filepath.FromSlash("../docs/plan.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(page), "## What is kept, and what is not?")
	text, _, _ = strings.Cut(text, "\n## ")
	rows := map[string][]string{}
	for _, row := range regexp.MustCompile(`(?m)^\| (.*) \|$`).FindAllStringSubmatch(text, -1) {
		cells := strings.Split(row[1], " | ")
		rows[cells[0]] = cells[1:]
	}
	return rows
}

// TestACopyKeepsWhatThePageSays: what the table of the page says of every attribute and way is what a copy does.
func TestACopyKeepsWhatThePageSays(t *testing.T) {
	t.Parallel()
	table := fidelityTable(t)
	for i, w := range ways {
		if got := table["attribute"]; len(got) != len(ways)+1 || got[i] != w.name {
			t.Fatalf("the columns are %q", got)
		}
	}
	for _, s := range among(sandboxName, motoName, versitygwName) {
		for _, streaming := range []bool{false, true} {
			if streaming && s.name == motoName || !streaming && s.name == versitygwName {
				continue // the one has no provider of its own, the other no accounts
			}
			t.Run(fmt.Sprint(s.name, ", through this machine: ", streaming), func(t *testing.T) {
				t.Parallel()
				w := s.start(t)
				w.enforce(t)
				f := copied(t, w, streaming)
				for i, way := range ways {
					if way.streaming == streaming {
						f.compare(t, table, i)
					}
				}
			})
		}
	}
}

// fidelity is one run's buckets.
type fidelity struct {
	*world
	from, to string
	seen     map[string]portrait
}

// deviates tells why an attribute is not what the page says on a server.
func (f *fidelity) deviates(name string) string {
	switch {
	case name == "tags, ten of them":
		return f.differs(tagsAcross)
	case name == "owner" && f.server != sandboxName:
		return "it has one owner, or tells none"
	case f.server == versitygwName && (name == "ACL" || name == "version ID"):
		return "the source's object has none"
	}
	return ""
}

// compare holds a column of the table to what stands on both sides.
func (f *fidelity) compare(t *testing.T, table map[string][]string, column int) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		cells := table[name]
		if len(cells) != len(ways)+1 {
			t.Errorf("the page has no row %q", name)
			continue
		}
		key := map[bool]string{false: "plain", true: "parts"}[ways[column].parts]
		if attributes[name].crcs {
			key += "-crc"
		}
		for side, bucket := range map[*side]string{&f.source: f.from, &f.destination: f.to} {
			if _, known := f.seen[bucket+"/"+key]; !known {
				f.seen[bucket+"/"+key] = side.portrait(t, bucket, key)
			}
		}
		a, b := attributes[name].of(f.seen[f.from+"/"+key]), attributes[name].of(f.seen[f.to+"/"+key])
		says := strings.HasPrefix(cells[column], "kept")
		if (a == b) != says && f.deviates(name) == "" {
			t.Errorf("%s, %s: the page says %q, and %.200q became %.200q", name, ways[column].name, cells[column], a, b)
		}
	}
}

// copied fills a bucket with objects that have every attribute, and lets the program copy them.
func copied(t *testing.T, w *world, streaming bool) *fidelity {
	t.Helper()
	f := &fidelity{world: w, seen: map[string]portrait{}}
	var p *program
	if streaming {
		f.from, f.to = w.bucket(t, w.source, "photos"), name("photos-b")
		p = newProgram(t, compatiblePlan(w, watch(t, w.url).url, watch(t, w.url).url, f.from, f.to), w.config)
	} else {
		r := newRecipe(t, w, 1)
		r.replace("    create: true\n", "    create: true\n    settings: {versioning: true}\n")
		f.from, f.to, p = r.bucket, r.copy, r.program
	}
	f.arrange(t)
	for _, crcs := range []bool{false, true} {
		f.putWhole(t, crcs)
		f.putParts(t, crcs)
	}
	if streaming {
		w.share(t, f.from)
	}
	time.Sleep(1100 * time.Millisecond) // dates have seconds
	p.must(t, "apply", p.plan, "--yes")
	return f
}

// arrange makes the source's bucket one that keeps versions, takes ACLs, and redirects.
func (f *fidelity) arrange(t *testing.T) {
	t.Helper()
	if f.server == versitygwName {
		return
	}
	_, err := f.source.s3.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{
		Bucket: &f.from, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.source.s3.DeletePublicAccessBlock(t.Context(), &s3.DeletePublicAccessBlockInput{Bucket: &f.from}); err != nil {
		t.Fatal(err)
	}
	_, err = f.source.s3.PutBucketOwnershipControls(t.Context(), &s3.PutBucketOwnershipControlsInput{Bucket: &f.from, OwnershipControls: &types.OwnershipControls{
		Rules: []types.OwnershipControlsRule{{ObjectOwnership: types.ObjectOwnershipObjectWriter}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.source.s3.PutBucketWebsite(t.Context(), &s3.PutBucketWebsiteInput{
		Bucket: &f.from, WebsiteConfiguration: &types.WebsiteConfiguration{IndexDocument: &types.IndexDocument{Suffix: aws.String("index.html")}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

const noDate = "when it is ready" // of Expires

// fullTags are as many as S3 takes.
func fullTags() string {
	var all []string
	for i := range 10 {
		all = append(all, fmt.Sprintf("tag%d=value%%20%d", i, i))
	}
	return strings.Join(all, "&")
}

func expiring(o *s3.Options) {
	o.APIOptions = append(o.APIOptions, smithyhttp.SetHeaderValue("Expires", noDate))
}

// acl is one that a bucket without ACLs has not.
func (f *fidelity) acl() types.ObjectCannedACL {
	if f.server == versitygwName {
		return ""
	}
	return types.ObjectCannedACLAuthenticatedRead
}

// class is one that is not the default.
func (f *fidelity) class() types.StorageClass {
	if f.differs(storageClasses) != "" {
		return ""
	}
	return types.StorageClassStandardIa
}

func (f *fidelity) putWhole(t *testing.T, crcs bool) {
	t.Helper()
	h := dressedHeaders
	in := &s3.PutObjectInput{
		Bucket: &f.from, Key: aws.String("plain"), Body: strings.NewReader(digits), ChecksumAlgorithm: types.ChecksumAlgorithmSha256,
		ContentType: &h.ContentType, ContentEncoding: &h.ContentEncoding, ContentDisposition: &h.ContentDisposition, ContentLanguage: &h.ContentLanguage,
		CacheControl: &h.CacheControl, Metadata: h.Metadata, Tagging: aws.String(fullTags()), StorageClass: f.class(), ACL: f.acl(), WebsiteRedirectLocation: aws.String("/new.html"),
	}
	if crcs {
		in.Key, in.ChecksumAlgorithm = aws.String("plain-crc"), types.ChecksumAlgorithmCrc64nvme
	}
	if _, err := f.source.s3.PutObject(t.Context(), in, expiring); err != nil {
		t.Fatal(err)
	}
}

func (f *fidelity) putParts(t *testing.T, crcs bool) {
	t.Helper()
	h := dressedHeaders
	in := &s3.CreateMultipartUploadInput{
		Bucket: &f.from, Key: aws.String("parts"), ChecksumAlgorithm: types.ChecksumAlgorithmSha256, ChecksumType: types.ChecksumTypeComposite,
		ContentType: &h.ContentType, ContentEncoding: &h.ContentEncoding, ContentDisposition: &h.ContentDisposition, ContentLanguage: &h.ContentLanguage,
		CacheControl: &h.CacheControl, Metadata: h.Metadata, Tagging: aws.String(fullTags()), StorageClass: f.class(), ACL: f.acl(), WebsiteRedirectLocation: aws.String("/new.html"),
	}
	if crcs {
		in.Key, in.ChecksumAlgorithm, in.ChecksumType = aws.String("parts-crc"), types.ChecksumAlgorithmCrc64nvme, types.ChecksumTypeFullObject
	}
	up, err := f.source.s3.CreateMultipartUpload(t.Context(), in, expiring)
	if err != nil {
		t.Fatal(err)
	}
	done := &s3.CompleteMultipartUploadInput{Bucket: &f.from, Key: in.Key, UploadId: up.UploadId, ChecksumType: in.ChecksumType, MultipartUpload: &types.CompletedMultipartUpload{}}
	for i, body := range []string{partsBody[:partSize], partsBody[partSize:]} {
		n := aws.Int32(int32(i + 1))
		p, err := f.source.s3.UploadPart(t.Context(), &s3.UploadPartInput{
			Bucket: &f.from, Key: in.Key, UploadId: up.UploadId, PartNumber: n, Body: strings.NewReader(body), ChecksumAlgorithm: in.ChecksumAlgorithm,
		})
		if err != nil {
			t.Fatal(err)
		}
		done.MultipartUpload.Parts = append(done.MultipartUpload.Parts, types.CompletedPart{PartNumber: n, ETag: p.ETag, ChecksumSHA256: p.ChecksumSHA256, ChecksumCRC64NVME: p.ChecksumCRC64NVME})
	}
	if _, err := f.source.s3.CompleteMultipartUpload(t.Context(), done); err != nil {
		t.Fatal(err)
	}
}

// TestACopyIsAsItsBucketAndThePlanSay: SSE-KMS, the key and the bucket key are those that the destination's bucket says, and the class is
// the plan's, on every way.
func TestACopyIsAsItsBucketAndThePlanSay(t *testing.T) {
	t.Parallel()
	for _, streaming := range []bool{false, true} {
		t.Run(fmt.Sprint("through this machine: ", streaming), func(t *testing.T) {
			t.Parallel()
			w := startSandbox(t)
			made, err := w.destination.kms.CreateKey(t.Context(), &kms.CreateKeyInput{})
			if err != nil {
				t.Fatal(err)
			}
			key := *made.KeyMetadata.Arn
			r := newRecipe(t, w, 1)
			r.replace("    create: true\n", "    create: true\n    settings: {encryption: {kms_key_id: \""+key+"\", bucket_key: true}}\n")
			if streaming {
				r.copy = w.bucket(t, w.destination, "photos-b")
				w.encrypt(t, w.destination, r.copy, key)
				r.program = newProgram(t, compatiblePlan(w, watch(t, w.url).url, watch(t, w.url).url, r.bucket, r.copy), w.config)
				w.share(t, r.bucket)
			}
			r.replace("copy:\n", "copy:\n  storage_class: ONEZONE_IA\n")
			r.must(t, "apply", r.plan, "--yes")
			for _, object := range []string{dressed, "parts.bin"} {
				a, b := r.source.portrait(t, r.bucket, object).head, r.destination.portrait(t, r.copy, object).head
				if a.ServerSideEncryption != types.ServerSideEncryptionAes256 || b.ServerSideEncryption != types.ServerSideEncryptionAwsKms ||
					aws.ToString(b.SSEKMSKeyId) != key || !aws.ToBool(b.BucketKeyEnabled) || aws.ToString(a.ETag) == aws.ToString(b.ETag) {
					t.Errorf("%s is under %s, its copy under %s, %s, bucket key: %t", object, a.ServerSideEncryption, b.ServerSideEncryption, aws.ToString(b.SSEKMSKeyId), aws.ToBool(b.BucketKeyEnabled))
				}
				if a.StorageClass != "" || b.StorageClass != types.StorageClassOnezoneIa {
					t.Errorf("%s is of %q, and its copy of %q", object, a.StorageClass, b.StorageClass)
				}
			}
		})
	}
}

// encrypt puts a bucket under a key, with a bucket key.
func (w *world) encrypt(t *testing.T, s side, bucket, key string) {
	t.Helper()
	_, err := s.s3.PutBucketEncryption(t.Context(), &s3.PutBucketEncryptionInput{Bucket: &bucket, ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{
		Rules: []types.ServerSideEncryptionRule{{
			BucketKeyEnabled:                   aws.Bool(true),
			ApplyServerSideEncryptionByDefault: &types.ServerSideEncryptionByDefault{SSEAlgorithm: types.ServerSideEncryptionAwsKms, KMSMasterKeyID: &key},
		}},
	}})
	if err != nil {
		t.Fatal(err)
	}
}

// TestAnnotationsAndATagTooManyAreTold: annotations, each of which S3 bills as a PUT, are left behind; a source that has more tags than S3
// takes is another server, and of its objects that one fails, with the reason.
func TestAnnotationsAndATagTooManyAreTold(t *testing.T) {
	t.Parallel()
	w := startSandbox(t)
	r := newRecipe(t, w, 1)
	err := w.box.PutObject(r.bucket, "noted", []byte("x"), sandbox.PutOptions{Annotations: map[string]string{"note": "1"}})
	if err != nil {
		t.Fatal(err)
	}
	r.must(t, "apply", r.plan, "--yes")
	for _, o := range w.box.Objects(r.copy) {
		if len(o.Annotations) != 0 {
			t.Errorf("%q has the annotations %v", o.Key, o.Annotations)
		}
	}
	source := w.bucket(t, w.source, "photos")
	tags := map[string]string{}
	for i := range 11 {
		tags[fmt.Sprint("tag", i)] = "v"
	}
	if err := w.box.PutObject(source, "many", []byte("x"), sandbox.PutOptions{Tags: tags}); err != nil {
		t.Fatal(err)
	}
	w.source.put(t, source, "few", "x")
	w.share(t, source)
	p := newProgram(t, compatiblePlan(w, watch(t, w.url).url, watch(t, w.url).url, source, name("photos-b")), w.config)
	got := p.run(t, "apply", p.plan, "--yes")
	if got.code != 3 || !strings.Contains(got.out, "2 listed = 1 copied + 0 same + 0 skipped + 1 failed") || !strings.Contains(got.out, "tags cannot be greater than 10") {
		t.Errorf("it says %s", got)
	}
}

// TestWhatABucketHasConfiguredIsCompared: the review lists what the source has and the destination has not; what may not be read is told, and
// stops nothing.
func TestWhatABucketHasConfiguredIsCompared(t *testing.T) {
	t.Parallel()
	r := newRecipe(t, startSandbox(t), 1)
	id := aws.String("daily")
	_, err := r.source.s3.PutBucketMetricsConfiguration(t.Context(), &s3.PutBucketMetricsConfigurationInput{Bucket: &r.bucket, Id: id, MetricsConfiguration: &types.MetricsConfiguration{Id: id}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.source.s3.PutBucketNotificationConfiguration(t.Context(), &s3.PutBucketNotificationConfigurationInput{
		Bucket: &r.bucket, NotificationConfiguration: &types.NotificationConfiguration{EventBridgeConfiguration: &types.EventBridgeConfiguration{}},
	})
	if err != nil {
		t.Fatal(err)
	}
	got := r.must(t, "plan", r.plan)
	if want := "and a copy does not carry: EventBridge notification, metrics"; !strings.Contains(strings.Join(strings.Fields(got.out), " "), want) {
		t.Errorf("it does not say %q: %s", want, got)
	}
	policy := strings.Replace(r.others, `"Statement":[`, `"Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:GetMetricsConfiguration","Resource":"arn:aws:s3:::`+r.bucket+`"},`, 1)
	if _, err := r.source.s3.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: &r.bucket, Policy: &policy}); err != nil {
		t.Fatal(err)
	}
	got = r.must(t, "plan", r.plan)
	if want := "? not previewed: metrics of bucket " + r.bucket + " (s3:GetMetricsConfiguration denied)"; !strings.Contains(got.out, want) {
		t.Errorf("it does not say %q: %s", want, got)
	}
	r.must(t, "apply", r.plan, "--yes")
}
