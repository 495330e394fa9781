package awsapi

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	smithytime "github.com/aws/smithy-go/time"

	"xplan/internal/s3copy"
)

// headOnLane reads an object's details by the lane. Where that is not all there is to do, it gives the reply
// for the SDK to judge.
func (b *bucket) headOnLane(ctx context.Context, c *s3.Client, r s3copy.HeadRequest) (s3copy.Details, *reply, bool) {
	l := b.lane(ctx, c)
	if l == nil || r.Key == "" {
		return s3copy.Details{}, nil, false
	}
	q := ask("HeadObject", http.MethodHead, r.Key)
	if r.Part > 0 {
		q.query = "partNumber=" + strconv.Itoa(r.Part)
	}
	if r.VersionID != "" {
		q.query = strings.TrimPrefix(q.query+"&versionId="+url.QueryEscape(r.VersionID), "&")
	}
	if r.Checksums {
		q.set("X-Amz-Checksum-Mode", string(types.ChecksumModeEnabled))
	}
	q.set("X-Amz-Request-Payer", string(b.payer()))
	answer := l.send(ctx, &q)
	if !answer.yes() && !answer.part() {
		return s3copy.Details{}, answer, false
	}
	out, ok := readHead(answer.response.Header)
	if !ok || unquote(out.ETag) == "" {
		return s3copy.Details{}, answer, false
	}
	return detailsOf(r, out), answer, true
}

// readHead reads the headers that detailsOf asks for.
func readHead(header http.Header) (*s3.HeadObjectOutput, bool) {
	out := &s3.HeadObjectOutput{}
	ok := true
	for name, values := range header {
		value := strings.TrimSpace(values[0])
		switch {
		case readEntity(out, name, value, &ok), readState(out, name, value, &ok):
		case strings.HasPrefix(name, "X-Amz-Checksum-"):
			readSum(out, name, value)
		case strings.HasPrefix(name, "X-Amz-Meta-"):
			if out.Metadata == nil {
				out.Metadata = map[string]string{}
			}
			out.Metadata[strings.ToLower(strings.TrimPrefix(name, "X-Amz-Meta-"))] = value
		}
	}
	return out, ok
}

// readEntity reads what HTTP itself says of an object.
func readEntity(out *s3.HeadObjectOutput, name, value string, ok *bool) bool {
	switch name {
	case "Content-Length":
		n, err := strconv.ParseInt(value, 10, 64)
		*ok = *ok && err == nil
		out.ContentLength = &n
	case "Etag":
		out.ETag = &value
	case "Last-Modified":
		t, err := smithytime.ParseHTTPDate(value)
		*ok = *ok && err == nil
		out.LastModified = &t
	case "Content-Type":
		out.ContentType = &value
	case "Content-Encoding":
		out.ContentEncoding = &value
	case "Content-Disposition":
		out.ContentDisposition = &value
	case "Content-Language":
		out.ContentLanguage = &value
	case "Content-Range":
		out.ContentRange = &value
	case "Cache-Control":
		out.CacheControl = &value
	case "Expires":
		out.ExpiresString = &value
	default:
		return false
	}
	return true
}

// readState reads what S3 says of an object.
func readState(out *s3.HeadObjectOutput, name, value string, ok *bool) bool {
	switch name {
	case "X-Amz-Storage-Class":
		out.StorageClass = types.StorageClass(value)
	case "X-Amz-Restore":
		out.Restore = &value
	case "X-Amz-Archive-Status":
		out.ArchiveStatus = types.ArchiveStatus(value)
	case "X-Amz-Version-Id":
		out.VersionId = &value
	case "X-Amz-Website-Redirect-Location":
		out.WebsiteRedirectLocation = &value
	case "X-Amz-Mp-Parts-Count":
		n, err := strconv.ParseInt(value, 10, 32)
		*ok = *ok && err == nil
		parts := int32(n)
		out.PartsCount = &parts
	case "X-Amz-Server-Side-Encryption":
		out.ServerSideEncryption = types.ServerSideEncryption(value)
	case "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id":
		out.SSEKMSKeyId = &value
	case "X-Amz-Server-Side-Encryption-Customer-Algorithm":
		out.SSECustomerAlgorithm = &value
	case "X-Amz-Object-Lock-Mode":
		out.ObjectLockMode = types.ObjectLockMode(value)
	case "X-Amz-Object-Lock-Retain-Until-Date":
		t, err := smithytime.ParseDateTime(value)
		*ok = *ok && err == nil
		out.ObjectLockRetainUntilDate = &t
	case "X-Amz-Object-Lock-Legal-Hold":
		out.ObjectLockLegalHoldStatus = types.ObjectLockLegalHoldStatus(value)
	default:
		return false
	}
	return true
}

func readSum(out *s3.HeadObjectOutput, name, value string) {
	switch name {
	case "X-Amz-Checksum-Type":
		out.ChecksumType = types.ChecksumType(value)
	case "X-Amz-Checksum-Crc64nvme":
		out.ChecksumCRC64NVME = &value
	case "X-Amz-Checksum-Crc32":
		out.ChecksumCRC32 = &value
	case "X-Amz-Checksum-Crc32c":
		out.ChecksumCRC32C = &value
	case "X-Amz-Checksum-Sha1":
		out.ChecksumSHA1 = &value
	case "X-Amz-Checksum-Sha256":
		out.ChecksumSHA256 = &value
	case "X-Amz-Checksum-Sha512":
		out.ChecksumSHA512 = &value
	case "X-Amz-Checksum-Md5":
		out.ChecksumMD5 = &value
	case "X-Amz-Checksum-Xxhash64":
		out.ChecksumXXHASH64 = &value
	case "X-Amz-Checksum-Xxhash3":
		out.ChecksumXXHASH3 = &value
	case "X-Amz-Checksum-Xxhash128":
		out.ChecksumXXHASH128 = &value
	}
}
