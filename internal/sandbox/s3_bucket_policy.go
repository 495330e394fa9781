package sandbox

import (
	"encoding/xml"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"xplan/internal/policy"
)

// owned lets only the bucket's account manage its policy. Another account's
// caller who may do so by their own policies is told that it cannot be done;
// who may not, that they may not.
func (q *s3Call) owned(action string) error {
	b := q.bucket
	if q.caller.Account != b.owner && !q.caller.anonymous() {
		if err := q.permit(action, b.arn(), resourceAuth{}, nil); err != nil {
			return denied("Access Denied")
		}
		e := newError(http.StatusMethodNotAllowed, "MethodNotAllowed", "The specified method is not allowed against this resource.")
		e.Fields = map[string]string{"Method": q.r.Method, "ResourceType": "BUCKETPOLICY"}
		return e
	}
	return q.permitBucket(action, nil)
}

func noPolicy(b *s3Bucket) *apiError {
	e := newError(http.StatusNotFound, "NoSuchBucketPolicy", "The bucket policy does not exist")
	e.Fields = map[string]string{"BucketName": b.name}
	return e
}

func (q *s3Call) getBucketPolicy() error {
	if err := q.owned("s3:GetBucketPolicy"); err != nil {
		return err
	}
	p := q.bucket.policy.latest()
	if p == nil {
		return noPolicy(q.bucket)
	}
	text := p.document()
	h := q.w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(text)))
	q.w.WriteHeader(http.StatusOK)
	_, _ = q.w.Write([]byte(text))
	return nil
}

func (q *s3Call) putBucketPolicy() error {
	if err := q.owned("s3:PutBucketPolicy"); err != nil {
		return err
	}
	body, err := q.readBody(2 << 20)
	if err != nil {
		return err
	}
	if err := q.checkDigests(bodyOf(body)); err != nil {
		return err
	}
	p, err := q.s.parseBucketPolicy(q.bucket, string(body))
	if err != nil {
		return err
	}
	b := q.bucket
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.access.latest().BlockPublicPolicy && p.public() {
		return denied("User: " + q.caller.ARN + ` is not authorized to perform: s3:PutBucketPolicy on resource: "` + b.arn() +
			`" because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.`)
	}
	b.policy.set(p, q.s.server.now())
	return q.empty(http.StatusNoContent)
}

// parseBucketPolicy checks a policy as PutBucketPolicy does.
func (s *s3Service) parseBucketPolicy(b *s3Bucket, text string) (*resourcePolicy, error) {
	if len(text) > maxPolicySize {
		return nil, malformedPolicy("Policy exceeds the maximum allowed document size.")
	}
	if !strings.HasPrefix(strings.TrimSpace(text), "{") {
		return nil, malformedPolicy("Policies must be valid JSON and the first byte must be '{'")
	}
	p, err := s.server.compileResourcePolicy(text)
	if err != nil {
		return nil, err
	}
	doc, err := policy.Parse([]byte(text))
	if err != nil {
		return nil, malformedPolicy("Policies must be valid JSON and the first byte must be '{'")
	}
	for _, st := range doc.Statements {
		if err := checkStatement(b, st); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func malformedPolicy(message string) *apiError {
	return newError(http.StatusBadRequest, "MalformedPolicy", message)
}

// checkStatement holds a statement to its bucket: S3 takes nothing about
// others, and no action that its resources do not have.
func checkStatement(b *s3Bucket, st policy.Statement) error {
	bucketLevel, objectLevel := false, false
	resources := slices.Concat(st.Resource, st.NotResource)
	if len(resources) == 0 {
		return malformedPolicy("Missing required field Resource")
	}
	for _, r := range resources {
		name, ok := strings.CutPrefix(r, "arn:aws:s3:::")
		first, _, object := strings.Cut(name, "/")
		if !ok || !wildcardMatches(first, b.name) {
			return malformedPolicy("Policy has invalid resource")
		}
		wide := strings.Contains(first, "*")
		bucketLevel, objectLevel = bucketLevel || !object || wide, objectLevel || object || wide
	}
	for _, action := range slices.Concat(st.Action, st.NotAction) {
		service, name, _ := strings.Cut(action, ":")
		switch {
		case action == "*":
		case !strings.EqualFold(service, "s3"):
			return malformedPolicy("Policy has invalid action")
		case strings.ContainsAny(name, "*?") || len(st.Action) == 0:
		case objectAction(name) && !objectLevel, !objectAction(name) && !bucketLevel:
			return malformedPolicy("Action does not apply to any resource(s) in statement")
		}
	}
	return nil
}

// objectAction says whether an action is one on objects.
func objectAction(name string) bool {
	name = strings.ToLower(name)
	switch name {
	case "abortmultipartupload", "listmultipartuploadparts", "bypassgovernanceretention",
		"replicateobject", "replicatedelete", "replicatetags", "initiatereplication":
		return true
	case "getbucketobjectlockconfiguration", "putbucketobjectlockconfiguration":
		return false
	}
	for _, verb := range []string{"get", "put", "delete", "list", "restore"} {
		if rest, ok := strings.CutPrefix(name, verb); ok && strings.HasPrefix(rest, "object") {
			return true
		}
	}
	return false
}

// wildcardMatches matches the pattern of a bucket's name, with * and ?.
func wildcardMatches(pattern, name string) bool {
	for pattern != "" {
		switch pattern[0] {
		case '*':
			for i := 0; i <= len(name); i++ {
				if wildcardMatches(pattern[1:], name[i:]) {
					return true
				}
			}
			return false
		default:
			if name == "" || pattern[0] != '?' && pattern[0] != name[0] {
				return false
			}
			pattern, name = pattern[1:], name[1:]
		}
	}
	return name == ""
}

func (q *s3Call) deleteBucketPolicy() error {
	if err := q.owned("s3:DeleteBucketPolicy"); err != nil {
		return err
	}
	b := q.bucket
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.policy.latest() != nil {
		b.policy.set(nil, q.s.server.now())
	}
	return q.empty(http.StatusNoContent)
}

func (q *s3Call) getBucketPolicyStatus() error {
	if err := q.permitBucket("s3:GetBucketPolicyStatus", nil); err != nil {
		return err
	}
	p := q.bucket.policy.latest()
	if p == nil {
		return noPolicy(q.bucket)
	}
	x := newXML(256)
	x.root("PolicyStatus")
	x.bool("IsPublic", p.public())
	x.close("PolicyStatus")
	return q.answer(x)
}

func (q *s3Call) getPublicAccessBlock() error {
	if err := q.permitBucket("s3:GetBucketPublicAccessBlock", nil); err != nil {
		return err
	}
	b := q.bucket
	b.mu.RLock()
	has := b.hasAccess
	b.mu.RUnlock()
	if !has {
		e := newError(http.StatusNotFound, "NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found")
		e.Fields = map[string]string{"BucketName": b.name}
		return e
	}
	a := b.access.latest()
	x := newXML(512)
	x.root("PublicAccessBlockConfiguration")
	x.bool("BlockPublicAcls", a.BlockPublicAcls)
	x.bool("IgnorePublicAcls", a.IgnorePublicAcls)
	x.bool("BlockPublicPolicy", a.BlockPublicPolicy)
	x.bool("RestrictPublicBuckets", a.RestrictPublicBuckets)
	x.close("PublicAccessBlockConfiguration")
	return q.answer(x)
}

func (q *s3Call) putPublicAccessBlock() error {
	if err := q.permitBucket("s3:PutBucketPublicAccessBlock", nil); err != nil {
		return err
	}
	var doc struct {
		XMLName xml.Name `xml:"PublicAccessBlockConfiguration"`
		publicAccess
	}
	if err := q.readXML(&doc); err != nil {
		return err
	}
	return q.setPublicAccess(true, doc.publicAccess, http.StatusOK)
}

func (q *s3Call) deletePublicAccessBlock() error {
	if err := q.permitBucket("s3:PutBucketPublicAccessBlock", nil); err != nil {
		return err
	}
	return q.setPublicAccess(false, publicAccess{}, http.StatusNoContent)
}

func (q *s3Call) setPublicAccess(has bool, a publicAccess, status int) error {
	b := q.bucket
	b.mu.Lock()
	b.hasAccess = has
	b.access.set(a, q.s.server.now())
	b.mu.Unlock()
	return q.empty(status)
}
