package sandbox

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// A listQuery is what every listing of keys asks for.
type listQuery struct {
	prefix, delimiter string
	limit             int
	encode            bool   // encoding-type=url
	from              string // the first key that may come
	after             bool   // … not including it
	passed            string // a common prefix that came on the page before
	passedVersion     string // the last version of key `from` that came before
}

// A listEntry is a key, or a common prefix where version is nil.
type listEntry struct {
	key     string
	version *s3Version
	newest  bool
}

// name writes a key as the listing asked for.
func (l *listQuery) name(s string) string {
	if l.encode {
		return listEncode(s)
	}
	return s
}

// limit reads a parameter that bounds a page.
func (q *s3Call) limit(name string, most int) (int, error) {
	v := q.query.Get(name)
	if v == "" {
		return most, nil
	}
	n, err := strconv.ParseInt(v, 10, 32)
	if err != nil {
		return 0, invalidArgument("Provided "+name+" not an integer or within integer range", name, v)
	}
	if n < 0 {
		return 0, invalidArgument("Argument maxKeys must be an integer between 0 and 2147483647", name, v)
	}
	return min(int(n), most), nil
}

// listQuery reads the common parameters and asks for the permission to list.
func (q *s3Call) listQuery(action, limit string) (*listQuery, error) {
	l := &listQuery{prefix: q.query.Get("prefix"), delimiter: q.query.Get("delimiter")}
	cond := map[string][]string{}
	for _, name := range []string{"prefix", "delimiter", "max-keys"} {
		if q.query.Has(name) {
			cond["s3:"+name] = []string{q.query.Get(name)}
		}
	}
	if err := q.permitBucket(action, cond); err != nil {
		return nil, err
	}
	var err error
	if l.limit, err = q.limit(limit, maxListKeys); err != nil {
		return nil, err
	}
	switch v := q.query.Get("encoding-type"); v {
	case "":
	case "url":
		l.encode = true
	default:
		return nil, invalidArgument("Invalid Encoding Method specified in Request", "encoding-type", v)
	}
	l.from = l.prefix
	return l, nil
}

// startAfter moves the listing behind a key, unless it begins later anyway.
func (l *listQuery) startAfter(key string) {
	if key >= l.from && key != "" {
		l.from, l.after = key, true
	}
}

// legalStart says whether S3 takes a key as the place to start behind.
func legalStart(key string) bool {
	if !utf8.ValidString(key) {
		return false
	}
	for _, r := range key {
		if unicode.IsControl(r) || r&0xFFFE == 0xFFFE || r >= 0xFDD0 && r <= 0xFDEF {
			return false
		}
	}
	return true
}

// group is the common prefix that a key falls under, or "".
func (l *listQuery) group(key string) string {
	if l.delimiter == "" {
		return ""
	}
	i := strings.Index(key[len(l.prefix):], l.delimiter)
	if i < 0 {
		return ""
	}
	return key[:len(l.prefix)+i+len(l.delimiter)]
}

// Tokens name the last key, or the last common prefix, of a page.
func makeToken(e listEntry) string {
	kind := "k"
	if e.version == nil {
		kind = "p"
	}
	return "1" + base64.RawURLEncoding.EncodeToString([]byte(kind+e.key))
}

// resume continues behind the page that a token ended.
func (l *listQuery) resume(token string) error {
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(token, "1"))
	if err != nil || len(raw) == 0 || !strings.HasPrefix(token, "1") {
		return invalidArgument("The continuation token provided is incorrect", "continuation-token", token)
	}
	kind, key := raw[0], string(raw[1:])
	if kind == 'p' {
		l.from, l.after = beyond(key), false
		return nil
	}
	l.startAfter(key)
	return nil
}

func (q *s3Call) listObjectsV2() error {
	l, err := q.listQuery("s3:ListBucket", "max-keys")
	if err != nil {
		return err
	}
	start, token := q.query.Get("start-after"), q.query.Get("continuation-token")
	switch {
	case q.query.Has("continuation-token"):
		if err := l.resume(token); err != nil {
			return err
		}
	case !legalStart(start):
		return invalidArgument("The start-after provided is incorrect", "start-after", listEncode(start))
	default:
		l.startAfter(start)
	}
	p := q.bucket.page(l, false)
	x := newXML(512 + 420*len(p.entries))
	x.root("ListBucketResult")
	x.text("Name", q.bucket.name)
	x.text("Prefix", l.name(l.prefix))
	x.optional("StartAfter", l.name(start))
	x.optional("ContinuationToken", token)
	if p.more {
		x.text("NextContinuationToken", makeToken(p.last))
	}
	x.int("KeyCount", int64(len(p.entries)))
	x.int("MaxKeys", int64(l.limit))
	x.optional("Delimiter", l.name(l.delimiter))
	if l.encode {
		x.text("EncodingType", "url")
	}
	x.bool("IsTruncated", p.more)
	q.listEntries(x, l, p, q.query.Get("fetch-owner") == "true")
	x.close("ListBucketResult")
	return q.answer(x)
}

func (q *s3Call) listObjects() error {
	l, err := q.listQuery("s3:ListBucket", "max-keys")
	if err != nil {
		return err
	}
	marker := q.query.Get("marker")
	if !utf8.ValidString(marker) {
		return invalidArgument("Invalid marker", "marker", marker)
	}
	l.startAfter(marker)
	if l.delimiter != "" && marker != "" && strings.HasPrefix(marker, l.prefix) {
		l.passed = l.group(marker)
	}
	p := q.bucket.page(l, false)
	x := newXML(512 + 420*len(p.entries))
	x.root("ListBucketResult")
	x.text("Name", q.bucket.name)
	x.text("Prefix", l.name(l.prefix))
	x.text("Marker", l.name(marker))
	if p.more && l.delimiter != "" {
		x.text("NextMarker", l.name(p.last.key))
	}
	x.int("MaxKeys", int64(l.limit))
	x.optional("Delimiter", l.name(l.delimiter))
	if l.encode {
		x.text("EncodingType", "url")
	}
	x.bool("IsTruncated", p.more)
	q.listEntries(x, l, p, true)
	x.close("ListBucketResult")
	return q.answer(x)
}

// listEntries writes a page: first the objects, then the common prefixes.
func (q *s3Call) listEntries(x *xmlWriter, l *listQuery, p listPage, withOwner bool) {
	var owners ownerCache
	restores := strings.Contains(q.r.Header.Get("X-Amz-Optional-Object-Attributes"), "RestoreStatus")
	for _, e := range p.entries {
		v := e.version
		if v == nil {
			continue
		}
		x.open("Contents")
		x.text("Key", l.name(e.key))
		x.objectElements(v)
		if withOwner {
			x.open("Owner")
			x.text("ID", owners.of(q.s, q.bucket.ownerOf(v)))
			x.close("Owner")
		}
		x.text("StorageClass", v.storageClass())
		if restores {
			x.restoreElement(v.restore, q.s.restoreTime(q.now))
		}
		x.close("Contents")
	}
	x.commonPrefixes(l, p)
}

func (x *xmlWriter) commonPrefixes(l *listQuery, p listPage) {
	if l.delimiter == "" {
		return
	}
	for _, e := range p.entries {
		if e.version == nil {
			x.open("CommonPrefixes")
			x.text("Prefix", l.name(e.key))
			x.close("CommonPrefixes")
		}
	}
}

// objectElements writes what all listings say about an object.
func (x *xmlWriter) objectElements(v *s3Version) {
	x.time("LastModified", v.modified)
	x.etag(v.etag)
	if v.sum.algorithm != "" {
		x.text("ChecksumAlgorithm", string(v.sum.algorithm))
		x.optional("ChecksumType", v.sum.kind)
	}
	x.int("Size", v.body.size)
}

func (x *xmlWriter) restoreElement(r *restoreState, now time.Time) {
	if r == nil || r.past(now) || r.expires.IsZero() {
		return // of the archive tiers of Intelligent-Tiering only a HEAD tells
	}
	x.open("RestoreStatus")
	ongoing := now.Before(r.ready)
	x.bool("IsRestoreInProgress", ongoing)
	if !ongoing {
		x.time("RestoreExpiryDate", r.expires)
	}
	x.close("RestoreStatus")
}

// past says whether the restored copy has run out.
func (r *restoreState) past(now time.Time) bool { return !r.expires.IsZero() && now.After(r.expires) }

// header is how a HEAD tells the state of a restore.
func (r *restoreState) header(now time.Time) string {
	if now.Before(r.ready) {
		return `ongoing-request="true"`
	}
	return `ongoing-request="false", expiry-date="` + r.expires.UTC().Format(http.TimeFormat) + `"`
}

// An ownerCache remembers the last owner's canonical ID: pages have few owners.
type ownerCache struct{ account, id string }

func (o *ownerCache) of(s *s3Service, account string) string {
	if o.account != account || o.id == "" {
		o.account, o.id = account, s.canonicalID(account)
	}
	return o.id
}
