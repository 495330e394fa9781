package sandbox

import (
	"encoding/xml"
	"net/http"
)

func writeTags(x *xmlWriter, tags []s3Tag) {
	x.root("Tagging")
	x.open("TagSet")
	for _, t := range tags {
		x.open("Tag")
		x.text("Key", t.Key)
		x.text("Value", t.Value)
		x.close("Tag")
	}
	x.close("TagSet")
	x.close("Tagging")
}

// bodyTags reads the tags that a request carries.
func (q *s3Call) bodyTags(most int) ([]s3Tag, error) {
	var doc struct {
		XMLName xml.Name `xml:"Tagging"`
		Tags    []s3Tag  `xml:"TagSet>Tag"`
	}
	if err := q.readXML(&doc); err != nil {
		return nil, err
	}
	return doc.Tags, checkTags(doc.Tags, most)
}

func (q *s3Call) getObjectTagging() error {
	v, err := q.found("s3:GetObjectTagging")
	if err != nil {
		return err
	}
	q.versionHeader(v)
	x := newXML(512)
	writeTags(x, v.tags)
	return q.answer(x)
}

func (q *s3Call) putObjectTagging() error {
	tags, err := q.bodyTags(10)
	if err != nil {
		return err
	}
	return q.changeTags("s3:PutObjectTagging", tags, http.StatusOK)
}

func (q *s3Call) deleteObjectTagging() error {
	return q.changeTags("s3:DeleteObjectTagging", nil, http.StatusNoContent)
}

func (q *s3Call) changeTags(action string, tags []s3Tag, status int) error {
	id := q.query.Get("versionId")
	v, err := q.foundIn(q.bucket, q.target.Key, id, action, q.requestConditions(tags))
	if err != nil {
		return err
	}
	changed := *v
	changed.tags = tags
	q.bucket.replace(q.target.Key, v, &changed)
	q.versionHeader(v)
	return q.empty(status)
}

func (q *s3Call) getBucketTagging() error {
	if err := q.permitBucket("s3:GetBucketTagging", nil); err != nil {
		return err
	}
	q.bucket.mu.RLock()
	tags := q.bucket.tags
	q.bucket.mu.RUnlock()
	if len(tags) == 0 {
		e := newError(http.StatusNotFound, "NoSuchTagSet", "The TagSet does not exist")
		e.Fields = map[string]string{"BucketName": q.bucket.name}
		return e
	}
	x := newXML(512)
	writeTags(x, tags)
	return q.answer(x)
}

func (q *s3Call) putBucketTagging() error {
	if err := q.permitBucket("s3:PutBucketTagging", nil); err != nil {
		return err
	}
	tags, err := q.bodyTags(50)
	if err != nil {
		return err
	}
	q.bucket.mu.Lock()
	q.bucket.tags = tags
	q.bucket.mu.Unlock()
	return q.empty(http.StatusNoContent)
}

func (q *s3Call) deleteBucketTagging() error {
	if err := q.permitBucket("s3:PutBucketTagging", nil); err != nil {
		return err
	}
	q.bucket.mu.Lock()
	q.bucket.tags = nil
	q.bucket.mu.Unlock()
	return q.empty(http.StatusNoContent)
}
