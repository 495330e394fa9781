package sandbox

import (
	"encoding/xml"
	"net/http"
	"slices"
	"strings"
)

// An s3Grant gives one permission to one grantee: a canonical ID or a group's URI.
type s3Grant struct{ grantee, permission string }

const (
	aclOwnerFull = "bucket-owner-full-control"

	permissionRead     = "READ"
	permissionWrite    = "WRITE"
	permissionReadACP  = "READ_ACP"
	permissionWriteACP = "WRITE_ACP"
	permissionFull     = "FULL_CONTROL"

	groupAll           = "http://acs.amazonaws.com/groups/global/AllUsers"
	groupAuthenticated = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
)

// grantHeaders are the headers that carry grants, and what each one grants.
func grantHeaders() map[string]string {
	return map[string]string{
		"X-Amz-Grant-Read": permissionRead, "X-Amz-Grant-Write": permissionWrite,
		"X-Amz-Grant-Read-Acp": permissionReadACP, "X-Amz-Grant-Write-Acp": permissionWriteACP,
		"X-Amz-Grant-Full-Control": permissionFull,
	}
}

// asksACL says whether the request sets an ACL.
func (q *s3Call) asksACL() bool {
	if q.r.Header.Get("X-Amz-Acl") != "" {
		return true
	}
	for name := range grantHeaders() {
		if q.r.Header.Get(name) != "" {
			return true
		}
	}
	return false
}

func aclsOff() *apiError {
	return newError(http.StatusBadRequest, "AccessControlListNotSupported", "The bucket does not allow ACLs")
}

// readACL reads the ACL that a request's headers give to an object of owner.
// With ACLs off only the one that changes nothing is taken.
func (q *s3Call) readACL(b *s3Bucket, owner string) ([]s3Grant, error) {
	if !q.asksACL() {
		return nil, nil
	}
	canned := q.r.Header.Get("X-Amz-Acl")
	grants, err := q.headerGrants(b, owner, canned)
	if err != nil {
		return nil, err
	}
	if b.enforced() {
		if canned == aclOwnerFull || canned == "" && len(grants) == 1 && grants[0] == (s3Grant{q.s.canonicalID(b.owner), permissionFull}) {
			return nil, nil
		}
		return nil, aclsOff()
	}
	if b.access.latest().BlockPublicAcls && slices.ContainsFunc(grants, s3Grant.public) {
		return nil, denied("Access Denied")
	}
	return grants, nil
}

func (g s3Grant) public() bool { return g.grantee == groupAll || g.grantee == groupAuthenticated }

// headerGrants turns the headers into grants; the owner's own comes first
// where a canned ACL says so.
func (q *s3Call) headerGrants(b *s3Bucket, owner, canned string) ([]s3Grant, error) {
	var grants []s3Grant
	for name, permission := range grantHeaders() {
		for one := range strings.SplitSeq(q.r.Header.Get(name), ",") {
			if strings.TrimSpace(one) == "" {
				continue
			}
			kind, value, _ := strings.Cut(strings.TrimSpace(one), "=")
			value = strings.Trim(value, `"`)
			if kind != "id" && kind != "uri" {
				return nil, invalidArgument("Argument format not recognized", name, one)
			}
			grants = append(grants, s3Grant{value, permission})
		}
	}
	if canned == "" {
		return grants, nil
	}
	if len(grants) > 0 {
		return nil, invalidRequest("Specifying both Canned ACLs and Header Grants is not allowed")
	}
	grants = []s3Grant{{q.s.canonicalID(owner), permissionFull}}
	bucketOwner := q.s.canonicalID(b.owner)
	switch canned {
	case "private":
	case "public-read":
		grants = append(grants, s3Grant{groupAll, permissionRead})
	case "public-read-write":
		grants = append(grants, s3Grant{groupAll, permissionRead}, s3Grant{groupAll, permissionWrite})
	case "authenticated-read":
		grants = append(grants, s3Grant{groupAuthenticated, permissionRead})
	case "bucket-owner-read":
		grants = append(grants, s3Grant{bucketOwner, permissionRead})
	case aclOwnerFull:
		grants = append(grants, s3Grant{bucketOwner, permissionFull})
	case "aws-exec-read", "log-delivery-write":
	default:
		return nil, invalidArgument("", "x-amz-acl", canned)
	}
	return grants, nil
}

// objectGranted says whether an object's ACL lets the caller's account do action.
func (q *s3Call) objectGranted(b *s3Bucket, v *s3Version, action string) bool {
	if b.enforced() {
		return false
	}
	want := ""
	switch action {
	case "s3:GetObject", "s3:GetObjectVersion":
		want = permissionRead
	case "s3:GetObjectAcl", "s3:GetObjectVersionAcl":
		want = permissionReadACP
	case "s3:PutObjectAcl", "s3:PutObjectVersionAcl":
		want = permissionWriteACP
	default:
		// Who owns the bucket may delete and tag what stands in it.
		return q.caller.Account == b.owner
	}
	return q.granted(b, v.acl, want)
}

// bucketGranted says whether the bucket's own ACL lets the caller do action.
func (q *s3Call) bucketGranted(b *s3Bucket, action string) bool {
	want := ""
	switch action {
	case "s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads":
		want = permissionRead
	case "s3:PutObject":
		want = permissionWrite
	case "s3:GetBucketAcl":
		want = permissionReadACP
	default:
		return false
	}
	b.mu.RLock()
	acl := b.acl
	b.mu.RUnlock()
	return !b.enforced() && q.granted(b, acl, want)
}

func (q *s3Call) granted(b *s3Bucket, acl []s3Grant, want string) bool {
	if len(acl) == 0 {
		return false
	}
	ignorePublic := b.access.latest().IgnorePublicAcls
	me := q.s.canonicalID(q.caller.Account)
	return slices.ContainsFunc(acl, func(g s3Grant) bool {
		if g.permission != want && g.permission != permissionFull {
			return false
		}
		switch g.grantee {
		case groupAll:
			return !ignorePublic
		case groupAuthenticated:
			return !ignorePublic && !q.caller.anonymous()
		default:
			return !q.caller.anonymous() && g.grantee == me
		}
	})
}

// answerACL writes an ACL. Without one the owner alone has everything.
func (q *s3Call) answerACL(owner string, acl []s3Grant) error {
	if len(acl) == 0 {
		acl = []s3Grant{{q.s.canonicalID(owner), permissionFull}}
	}
	x := newXML(512)
	x.root("AccessControlPolicy")
	q.owner(x, owner)
	x.open("AccessControlList")
	for _, g := range acl {
		kind, element := "CanonicalUser", "ID"
		if strings.HasPrefix(g.grantee, "http") {
			kind, element = "Group", "URI"
		}
		x.open("Grant")
		x.b = append(x.b, `<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="`+kind+`">`...)
		x.text(element, g.grantee)
		x.close("Grantee")
		x.text("Permission", g.permission)
		x.close("Grant")
	}
	x.close("AccessControlList")
	x.close("AccessControlPolicy")
	return q.answer(x)
}

// bodyACL reads the ACL that a PutObjectAcl or PutBucketAcl carries.
func (q *s3Call) bodyACL(b *s3Bucket, owner string) ([]s3Grant, error) {
	if q.asksACL() {
		return q.readACL(b, owner)
	}
	var doc struct {
		XMLName xml.Name `xml:"AccessControlPolicy"`
		Grants  []struct {
			Grantee    struct{ ID, URI string }
			Permission string
		} `xml:"AccessControlList>Grant"`
	}
	if err := q.readXML(&doc); err != nil {
		return nil, err
	}
	if b.enforced() {
		return nil, aclsOff()
	}
	var grants []s3Grant
	for _, g := range doc.Grants {
		grants = append(grants, s3Grant{g.Grantee.ID + g.Grantee.URI, g.Permission})
	}
	if b.access.latest().BlockPublicAcls && slices.ContainsFunc(grants, s3Grant.public) {
		return nil, denied("Access Denied")
	}
	return grants, nil
}

func (q *s3Call) getObjectACL() error {
	v, err := q.found("s3:GetObjectAcl")
	if err != nil {
		return err
	}
	q.versionHeader(v)
	return q.answerACL(q.bucket.ownerOf(v), v.acl)
}

func (q *s3Call) putObjectACL() error {
	v, err := q.found("s3:PutObjectAcl")
	if err != nil {
		return err
	}
	acl, err := q.bodyACL(q.bucket, q.bucket.ownerOf(v))
	if err != nil {
		return err
	}
	changed := *v
	changed.acl = acl
	q.bucket.replace(q.target.Key, v, &changed)
	q.versionHeader(v)
	return q.empty(http.StatusOK)
}

func (q *s3Call) getBucketACL() error {
	if err := q.permitBucket("s3:GetBucketAcl", nil); err != nil {
		return err
	}
	b := q.bucket
	b.mu.RLock()
	acl := b.acl
	b.mu.RUnlock()
	return q.answerACL(b.owner, acl)
}

func (q *s3Call) putBucketACL() error {
	if err := q.permitBucket("s3:PutBucketAcl", nil); err != nil {
		return err
	}
	b := q.bucket
	acl, err := q.bodyACL(b, b.owner)
	if err != nil {
		return err
	}
	b.mu.Lock()
	b.acl = acl
	b.mu.Unlock()
	return q.empty(http.StatusOK)
}
