package sandbox

import "strings"

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
	if passed != "" && l.from == marker {
		l.passedVersion, l.after = passed, false
	}
	if l.delimiter != "" && marker != "" && strings.HasPrefix(marker, l.prefix) {
		l.passed = l.group(marker)
	}
	p := q.bucket.page(l, true)
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
	restores := strings.Contains(q.r.Header.Get("X-Amz-Optional-Object-Attributes"), "RestoreStatus")
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
				x.restoreElement(v.restore, q.s.restoreTime(q.now))
			}
		}
		q.owner(x, q.bucket.ownerOf(v))
		x.close(element)
	}
	x.commonPrefixes(l, p)
}
