package sandbox

import "strings"

// versionPage collects one page of all versions. The listing begins behind
// version `passed` of the key that l starts at, where one is given.
func (b *s3Bucket) versionPage(l *listQuery, passed string) listPage {
	var p listPage
	b.mu.RLock()
	defer b.mu.RUnlock()
	from, after, first := l.from, l.after && passed == "", l.from
	for again := true; again; {
		again = false
		b.keys.ascend(from, after, func(k *s3Key) bool {
			if !strings.HasPrefix(k.name, l.prefix) {
				return false
			}
			if group := l.group(k.name); group != "" {
				if group != l.passed && !p.add(l.limit, listEntry{key: group}) {
					return false
				}
				from, after, again = beyond(group)
				return false
			}
			skip := passed != "" && k.name == first
			for i, v := range k.versions {
				if skip {
					skip = v.id != passed
					continue
				}
				if !p.add(l.limit, listEntry{key: k.name, version: v, newest: i == 0}) {
					return false
				}
			}
			return true
		})
	}
	p.more = p.more && l.limit > 0
	return p
}

// add adds an entry unless the page is full.
func (p *listPage) add(limit int, e listEntry) bool {
	if len(p.entries) >= limit {
		p.more = true
		return false
	}
	p.entries = append(p.entries, e)
	p.last = e
	return true
}

func (q *s3Call) listObjectVersions() error {
	l, err := q.listQuery("s3:ListBucketVersions", "max-keys")
	if err != nil {
		return err
	}
	marker, passed := q.query.Get("key-marker"), q.query.Get("version-id-marker")
	if passed != "" && marker == "" {
		return invalidArgument("A version-id marker cannot be specified without a key marker.", "version-id-marker", passed)
	}
	l.startAfter(marker)
	if l.from != marker {
		passed = ""
	}
	if l.delimiter != "" && marker != "" && strings.HasPrefix(marker, l.prefix) {
		l.passed = l.group(marker)
	}
	p := q.bucket.versionPage(l, passed)
	x := newXML(512 + 480*len(p.entries))
	x.root("ListVersionsResult")
	x.text("Name", q.bucket.name)
	x.text("Prefix", l.name(l.prefix))
	x.text("KeyMarker", l.name(marker))
	x.text("VersionIdMarker", q.query.Get("version-id-marker"))
	if p.more {
		x.text("NextKeyMarker", l.name(p.last.key))
		if p.last.version != nil {
			x.text("NextVersionIdMarker", p.last.version.id)
		}
	}
	x.int("MaxKeys", int64(l.limit))
	x.optional("Delimiter", l.name(l.delimiter))
	if l.encode {
		x.text("EncodingType", "url")
	}
	x.bool("IsTruncated", p.more)
	q.versionEntries(x, l, p)
	x.close("ListVersionsResult")
	return q.answer(x)
}

func (q *s3Call) versionEntries(x *xmlWriter, l *listQuery, p listPage) {
	restores := strings.Contains(q.r.Header.Get("x-amz-optional-object-attributes"), "RestoreStatus")
	for _, e := range p.entries {
		v := e.version
		if v == nil {
			continue
		}
		element := "Version"
		if v.marker {
			element = "DeleteMarker"
		}
		x.open(element)
		x.text("Key", l.name(e.key))
		x.text("VersionId", v.id)
		x.bool("IsLatest", e.newest)
		if v.marker {
			x.time("LastModified", v.modified)
		} else {
			x.objectElements(v)
			x.text("StorageClass", v.storageClass())
			if restores {
				x.restoreElement(v.restore, q.now)
			}
		}
		q.owner(x, "Owner", v.owner)
		x.close(element)
	}
	x.commonPrefixes(l, p)
}
