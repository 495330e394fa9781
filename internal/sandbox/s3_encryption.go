package sandbox

import (
	"crypto/md5"
	"encoding/base64"
	"net/http"
)

// The algorithms of server-side encryption.
const (
	sseAES256 = "AES256"
	sseKMS    = "aws:kms"
	sseDSSE   = "aws:kms:dsse"
)

// An objectEncryption says how an object is encrypted. A nil one is SSE-S3.
type objectEncryption struct {
	algorithm string
	key       string // the KMS key's ARN
	context   string // as the header carried it
	bucketKey bool
	customer  string // SSE-C: the MD5 of the client's key; the key itself is not kept
}

// Headers are named as Go keys them: other spellings cost an allocation each.
const ssePrefix = "X-Amz-Server-Side-Encryption"

// readEncryption decides how a new object is encrypted: as the request says,
// else by the bucket's default; and asks whether the caller may use the key.
func (q *s3Call) readEncryption(b *s3Bucket) (*objectEncryption, error) {
	h := q.r.Header
	customer, err := customerKey(h, ssePrefix+"-Customer-")
	if err != nil {
		return nil, err
	}
	algorithm := h.Get(ssePrefix)
	if customer != "" {
		if algorithm != "" {
			return nil, invalidArgument("Server Side Encryption with Customer provided key is incompatible with the encryption method specified", ssePrefix, algorithm)
		}
		return &objectEncryption{customer: customer}, nil
	}
	e := &objectEncryption{algorithm: algorithm, key: h.Get(ssePrefix + "-Aws-Kms-Key-Id"), context: h.Get(ssePrefix + "-Context")}
	switch algorithm {
	case "":
		b.mu.RLock()
		d := b.encryption
		b.mu.RUnlock()
		e.algorithm, e.key, e.bucketKey = d.Algorithm, d.Key, d.BucketKey
	case sseAES256, sseKMS, sseDSSE:
	default:
		return nil, invalidArgument("The encryption method specified is not supported", ssePrefix, algorithm)
	}
	if e.algorithm == sseAES256 {
		if e.key != "" {
			return nil, invalidArgument("Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms", ssePrefix, algorithm)
		}
		return nil, nil // SSE-S3
	}
	if v := h.Get(ssePrefix + "-Bucket-Key-Enabled"); v != "" {
		e.bucketKey = v == "true"
	}
	return e, q.useKey(b, e)
}

// useKey resolves the key's name and asks for kms:GenerateDataKey.
func (q *s3Call) useKey(b *s3Bucket, e *objectEncryption) error {
	account := q.caller.Account
	if q.r.Header.Get(ssePrefix) == "" {
		account = b.owner // the bucket's default names a key of the bucket's account
	}
	arn, err := q.s.server.resolveKMSKey(account, b.region, e.key)
	if err != nil {
		return err
	}
	e.key = arn
	if err := q.s.server.kmsAllowed(q.call, "kms:GenerateDataKey", arn, e.kmsContext(b, q.target.Key)); err != nil {
		return err
	}
	return nil
}

// kmsContext is the encryption context of an object, or of its bucket where a
// bucket key stands between.
func (e *objectEncryption) kmsContext(b *s3Bucket, key string) map[string]string {
	if e.bucketKey {
		return map[string]string{"aws:s3:arn": b.arn()}
	}
	return map[string]string{"aws:s3:arn": b.object(key)}
}

// customerKey checks the headers of SSE-C under a prefix and answers the MD5
// of the key, "" where they are not sent.
func customerKey(h http.Header, prefix string) (string, error) {
	algorithm, key, sum := h.Get(prefix+"Algorithm"), h.Get(prefix+"Key"), h.Get(prefix+"Key-Md5")
	switch {
	case algorithm == "" && key == "" && sum == "":
		return "", nil
	case algorithm != sseAES256:
		return "", newError(http.StatusBadRequest, "InvalidEncryptionAlgorithmError", "The Encryption request you specified is not valid. Supported value: AES256.")
	case key == "":
		return "", invalidArgument("Requests specifying Server Side Encryption with Customer provided keys must provide an appropriate secret key.", prefix+"Key", "null")
	case sum == "":
		return "", invalidArgument("Requests specifying Server Side Encryption with Customer provided keys must provide the client calculated MD5 of the secret key.", prefix+"Key-Md5", "null")
	}
	raw, err := base64.StdEncoding.DecodeString(key)
	if err != nil || len(raw) != 32 {
		return "", invalidArgument("The secret key was invalid for the specified algorithm.", prefix+"Key", "null")
	}
	if got := md5.Sum(raw); base64.StdEncoding.EncodeToString(got[:]) != sum {
		return "", invalidArgument("The calculated MD5 hash of the key did not match the hash that was provided.", prefix+"Key-Md5", "null")
	}
	return sum, nil
}

// readable asks whether the caller may decrypt an object of b; prefix is that
// of the headers that carry a customer's key.
func (q *s3Call) readable(b *s3Bucket, key string, v *s3Version, prefix string) error {
	if err := q.keyFits(v, prefix); err != nil {
		return err
	}
	if e := v.sse; e != nil && e.key != "" {
		if err := q.s.server.kmsAllowed(q.call, "kms:Decrypt", e.key, e.kmsContext(b, key)); err != nil {
			return err
		}
	}
	return nil
}

// keyFits asks for the customer's key of an object that has one.
func (q *s3Call) keyFits(v *s3Version, prefix string) error {
	sum, err := customerKey(q.r.Header, prefix)
	if err != nil {
		return err
	}
	e := v.sse
	switch {
	case e != nil && e.customer != "" && sum == "":
		return invalidRequest("The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.")
	case e != nil && e.customer != "" && sum != e.customer:
		return denied("Access Denied")
	case (e == nil || e.customer == "") && sum != "":
		return invalidRequest("The encryption parameters are not applicable to this object.")
	}
	return nil
}

// writeEncryption sets the headers that tell how an object is encrypted.
func writeEncryption(h http.Header, e *objectEncryption) {
	switch {
	case e == nil:
		h[ssePrefix] = []string{sseAES256}
	case e.customer != "":
		h.Set(ssePrefix+"-Customer-Algorithm", sseAES256)
		h.Set(ssePrefix+"-Customer-Key-Md5", e.customer)
	default:
		h.Set(ssePrefix, e.algorithm)
		h.Set(ssePrefix+"-Aws-Kms-Key-Id", e.key)
		if e.bucketKey {
			h.Set(ssePrefix+"-Bucket-Key-Enabled", "true")
		}
	}
}
