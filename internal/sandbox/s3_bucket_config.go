package sandbox

import (
	"encoding/xml"
	"net/http"
)

func validOwnership(v string) bool {
	return v == ownerEnforced || v == "BucketOwnerPreferred" || v == "ObjectWriter"
}

func (q *s3Call) getOwnershipControls() error {
	if err := q.permitBucket("s3:GetBucketOwnershipControls", nil); err != nil {
		return err
	}
	b := q.bucket
	b.mu.RLock()
	ownership := b.ownership
	b.mu.RUnlock()
	if ownership == "" {
		e := newError(http.StatusNotFound, "OwnershipControlsNotFoundError", "The bucket ownership controls were not found")
		e.Fields = map[string]string{"BucketName": b.name}
		return e
	}
	x := newXML(256)
	x.root("OwnershipControls")
	x.open("Rule")
	x.text("ObjectOwnership", ownership)
	x.close("Rule")
	x.close("OwnershipControls")
	return q.answer(x)
}

func (q *s3Call) putOwnershipControls() error {
	if err := q.permitBucket("s3:PutBucketOwnershipControls", nil); err != nil {
		return err
	}
	var doc struct {
		XMLName   xml.Name `xml:"OwnershipControls"`
		Ownership string   `xml:"Rule>ObjectOwnership"`
	}
	if err := q.readXML(&doc); err != nil {
		return err
	}
	if !validOwnership(doc.Ownership) {
		return malformedXML()
	}
	b := q.bucket
	b.mu.Lock()
	defer b.mu.Unlock()
	if doc.Ownership == ownerEnforced && len(b.acl) > 1 {
		return newError(http.StatusBadRequest, "InvalidBucketAclWithObjectOwnership", "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting")
	}
	b.ownership = doc.Ownership
	return q.empty(http.StatusOK)
}

func (q *s3Call) deleteOwnershipControls() error {
	if err := q.permitBucket("s3:PutBucketOwnershipControls", nil); err != nil {
		return err
	}
	q.bucket.mu.Lock()
	q.bucket.ownership = ""
	q.bucket.mu.Unlock()
	return q.empty(http.StatusNoContent)
}

func (q *s3Call) getBucketEncryption() error {
	if err := q.permitBucket("s3:GetEncryptionConfiguration", nil); err != nil {
		return err
	}
	q.bucket.mu.RLock()
	e := q.bucket.encryption
	q.bucket.mu.RUnlock()
	x := newXML(512)
	x.root("ServerSideEncryptionConfiguration")
	x.open("Rule")
	x.open("ApplyServerSideEncryptionByDefault")
	x.text("SSEAlgorithm", e.Algorithm)
	x.optional("KMSMasterKeyID", e.Key)
	x.close("ApplyServerSideEncryptionByDefault")
	x.bool("BucketKeyEnabled", e.BucketKey)
	x.close("Rule")
	x.close("ServerSideEncryptionConfiguration")
	return q.answer(x)
}

func (q *s3Call) putBucketEncryption() error {
	if err := q.permitBucket("s3:PutEncryptionConfiguration", nil); err != nil {
		return err
	}
	var doc struct {
		XMLName xml.Name `xml:"ServerSideEncryptionConfiguration"`
		Rules   []struct {
			Default struct {
				SSEAlgorithm   string
				KMSMasterKeyID string
			} `xml:"ApplyServerSideEncryptionByDefault"`
			BucketKeyEnabled bool
		} `xml:"Rule"`
	}
	if err := q.readXML(&doc); err != nil {
		return err
	}
	if len(doc.Rules) != 1 {
		return malformedXML()
	}
	r := doc.Rules[0]
	e := bucketEncryption{Algorithm: r.Default.SSEAlgorithm, Key: r.Default.KMSMasterKeyID, BucketKey: r.BucketKeyEnabled}
	switch {
	case e.Algorithm != sseAES256 && e.Algorithm != sseKMS && e.Algorithm != sseDSSE:
		return malformedXML()
	case e.Algorithm == sseAES256 && e.Key != "":
		return invalidArgument("a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse", "ApplyServerSideEncryptionByDefault", e.Algorithm)
	}
	q.bucket.mu.Lock()
	q.bucket.encryption = e
	q.bucket.mu.Unlock()
	return q.empty(http.StatusOK)
}

func (q *s3Call) deleteBucketEncryption() error {
	if err := q.permitBucket("s3:PutEncryptionConfiguration", nil); err != nil {
		return err
	}
	q.bucket.mu.Lock()
	q.bucket.encryption = bucketEncryption{Algorithm: sseAES256}
	q.bucket.mu.Unlock()
	return q.empty(http.StatusNoContent)
}

func (q *s3Call) getBucketVersioning() error {
	if err := q.permitBucket("s3:GetBucketVersioning", nil); err != nil {
		return err
	}
	q.bucket.mu.RLock()
	status, mfa := q.bucket.versioning, q.bucket.mfaDelete
	q.bucket.mu.RUnlock()
	x := newXML(256)
	x.root("VersioningConfiguration")
	x.optional("Status", status)
	if mfa {
		x.text("MfaDelete", "Enabled")
	}
	x.close("VersioningConfiguration")
	return q.answer(x)
}

func (q *s3Call) putBucketVersioning() error {
	if err := q.permitBucket("s3:PutBucketVersioning", nil); err != nil {
		return err
	}
	var doc struct {
		XMLName xml.Name `xml:"VersioningConfiguration"`
		Status  string
	}
	if err := q.readXML(&doc); err != nil {
		return err
	}
	if doc.Status != versioningEnabled && doc.Status != versioningSuspended {
		return newError(http.StatusBadRequest, "IllegalVersioningConfigurationException", "The Versioning element must be specified")
	}
	b := q.bucket
	if b.locked && doc.Status == versioningSuspended {
		return newError(http.StatusConflict, "InvalidBucketState", "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.")
	}
	b.mu.Lock()
	b.versioning = doc.Status
	b.mu.Unlock()
	return q.empty(http.StatusOK)
}

func (q *s3Call) getBucketRequestPayment() error {
	if err := q.permitBucket("s3:GetBucketRequestPayment", nil); err != nil {
		return err
	}
	payer := "BucketOwner"
	if q.bucket.requesterPays() {
		payer = "Requester"
	}
	x := newXML(256)
	x.root("RequestPaymentConfiguration")
	x.text("Payer", payer)
	x.close("RequestPaymentConfiguration")
	return q.answer(x)
}

func (q *s3Call) putBucketRequestPayment() error {
	if err := q.permitBucket("s3:PutBucketRequestPayment", nil); err != nil {
		return err
	}
	var doc struct {
		XMLName xml.Name `xml:"RequestPaymentConfiguration"`
		Payer   string
	}
	if err := q.readXML(&doc); err != nil {
		return err
	}
	if doc.Payer != "BucketOwner" && doc.Payer != "Requester" {
		return malformedXML()
	}
	q.bucket.mu.Lock()
	q.bucket.requester = doc.Payer == "Requester"
	q.bucket.mu.Unlock()
	return q.empty(http.StatusOK)
}

// A rawSetting is a setting that is kept as it came: nothing here acts on it.
type rawSetting struct {
	name     string // of the subresource
	get, put string // actions
	root     string // the element that a document must have
	missing  string // the code of the answer where it is not set; "" answers an empty root
	message  string
}

func rawSettings() []rawSetting {
	return []rawSetting{
		{"BucketLifecycleConfiguration", "s3:GetLifecycleConfiguration", "s3:PutLifecycleConfiguration", "LifecycleConfiguration", "NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"},
		{"BucketCors", "s3:GetBucketCORS", "s3:PutBucketCORS", "CORSConfiguration", "NoSuchCORSConfiguration", "The CORS configuration does not exist"},
		{"BucketReplication", "s3:GetReplicationConfiguration", "s3:PutReplicationConfiguration", "ReplicationConfiguration", "ReplicationConfigurationNotFoundError", "The replication configuration was not found"},
		{"BucketWebsite", "s3:GetBucketWebsite", "s3:PutBucketWebsite", "WebsiteConfiguration", "NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration"},
		{"BucketNotificationConfiguration", "s3:GetBucketNotification", "s3:PutBucketNotification", "NotificationConfiguration", "", ""},
		{"BucketLogging", "s3:GetBucketLogging", "s3:PutBucketLogging", "BucketLoggingStatus", "", ""},
		{"BucketAccelerateConfiguration", "s3:GetAccelerateConfiguration", "s3:PutAccelerateConfiguration", "AccelerateConfiguration", "", ""},
	}
}

func (r rawSetting) read(q *s3Call) error {
	if err := q.permitBucket(r.get, nil); err != nil {
		return err
	}
	q.bucket.mu.RLock()
	body := q.bucket.rawSettings[r.name]
	q.bucket.mu.RUnlock()
	if body == nil && r.missing != "" {
		e := newError(http.StatusNotFound, r.missing, r.message)
		e.Fields = map[string]string{"BucketName": q.bucket.name}
		return e
	}
	if body == nil {
		x := newXML(128)
		x.root(r.root)
		x.close(r.root)
		body = x.bytes()
	}
	return q.document(body)
}

func (r rawSetting) write(q *s3Call) error {
	if err := q.permitBucket(r.put, nil); err != nil {
		return err
	}
	body, err := q.readBody(2 << 20)
	if err != nil {
		return err
	}
	if err := q.checkDigests(bodyOf(body)); err != nil {
		return err
	}
	var doc struct{ XMLName xml.Name }
	if err := xml.Unmarshal(body, &doc); err != nil || doc.XMLName.Local != r.root {
		return malformedXML()
	}
	q.bucket.mu.Lock()
	q.bucket.rawSettings[r.name] = body
	q.bucket.mu.Unlock()
	return q.empty(http.StatusOK)
}

func (r rawSetting) remove(q *s3Call) error {
	if err := q.permitBucket(r.put, nil); err != nil {
		return err
	}
	q.bucket.mu.Lock()
	delete(q.bucket.rawSettings, r.name)
	q.bucket.mu.Unlock()
	return q.empty(http.StatusNoContent)
}
