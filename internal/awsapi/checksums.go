package awsapi

import (
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// sums collects the checksums that are set. The SDK has a field for each algorithm in every
// answer's type; their order here is that of sumNames.
func sums(values ...*string) map[string]string {
	var m map[string]string
	for i, v := range values {
		if v == nil || *v == "" {
			continue
		}
		if m == nil {
			m = make(map[string]string, 1)
		}
		m[sumNames()[i]] = *v
	}
	return m
}

func sumNames() [10]string {
	return [10]string{
		string(types.ChecksumAlgorithmCrc64nvme), string(types.ChecksumAlgorithmCrc32), string(types.ChecksumAlgorithmCrc32c),
		string(types.ChecksumAlgorithmSha1), string(types.ChecksumAlgorithmSha256), string(types.ChecksumAlgorithmSha512),
		string(types.ChecksumAlgorithmMd5), string(types.ChecksumAlgorithmXxhash64), string(types.ChecksumAlgorithmXxhash3),
		string(types.ChecksumAlgorithmXxhash128),
	}
}

func headChecksums(o *s3.HeadObjectOutput) map[string]string {
	return sums(o.ChecksumCRC64NVME, o.ChecksumCRC32, o.ChecksumCRC32C, o.ChecksumSHA1, o.ChecksumSHA256,
		o.ChecksumSHA512, o.ChecksumMD5, o.ChecksumXXHASH64, o.ChecksumXXHASH3, o.ChecksumXXHASH128)
}

func copyChecksums(o *types.CopyObjectResult) map[string]string {
	return sums(o.ChecksumCRC64NVME, o.ChecksumCRC32, o.ChecksumCRC32C, o.ChecksumSHA1, o.ChecksumSHA256,
		o.ChecksumSHA512, o.ChecksumMD5, o.ChecksumXXHASH64, o.ChecksumXXHASH3, o.ChecksumXXHASH128)
}

func copyPartChecksums(o *types.CopyPartResult) map[string]string {
	return sums(o.ChecksumCRC64NVME, o.ChecksumCRC32, o.ChecksumCRC32C, o.ChecksumSHA1, o.ChecksumSHA256,
		o.ChecksumSHA512, o.ChecksumMD5, o.ChecksumXXHASH64, o.ChecksumXXHASH3, o.ChecksumXXHASH128)
}

func partChecksums(o *types.Part) map[string]string {
	return sums(o.ChecksumCRC64NVME, o.ChecksumCRC32, o.ChecksumCRC32C, o.ChecksumSHA1, o.ChecksumSHA256,
		o.ChecksumSHA512, o.ChecksumMD5, o.ChecksumXXHASH64, o.ChecksumXXHASH3, o.ChecksumXXHASH128)
}

func completeChecksums(o *s3.CompleteMultipartUploadOutput) map[string]string {
	return sums(o.ChecksumCRC64NVME, o.ChecksumCRC32, o.ChecksumCRC32C, o.ChecksumSHA1, o.ChecksumSHA256,
		o.ChecksumSHA512, o.ChecksumMD5, o.ChecksumXXHASH64, o.ChecksumXXHASH3, o.ChecksumXXHASH128)
}

func putChecksums(o *s3.PutObjectOutput) map[string]string {
	return sums(o.ChecksumCRC64NVME, o.ChecksumCRC32, o.ChecksumCRC32C, o.ChecksumSHA1, o.ChecksumSHA256,
		o.ChecksumSHA512, o.ChecksumMD5, o.ChecksumXXHASH64, o.ChecksumXXHASH3, o.ChecksumXXHASH128)
}

func putPartChecksums(o *s3.UploadPartOutput) map[string]string {
	return sums(o.ChecksumCRC64NVME, o.ChecksumCRC32, o.ChecksumCRC32C, o.ChecksumSHA1, o.ChecksumSHA256,
		o.ChecksumSHA512, o.ChecksumMD5, o.ChecksumXXHASH64, o.ChecksumXXHASH3, o.ChecksumXXHASH128)
}

// completedPart hands a part back with the checksum that it was given.
func completedPart(number int32, etag string, m map[string]string) types.CompletedPart {
	of := func(a types.ChecksumAlgorithm) *string { return optional(m[string(a)]) }
	return types.CompletedPart{
		PartNumber: &number, ETag: quote(etag),
		ChecksumCRC64NVME: of(types.ChecksumAlgorithmCrc64nvme), ChecksumCRC32: of(types.ChecksumAlgorithmCrc32),
		ChecksumCRC32C: of(types.ChecksumAlgorithmCrc32c), ChecksumSHA1: of(types.ChecksumAlgorithmSha1),
		ChecksumSHA256: of(types.ChecksumAlgorithmSha256), ChecksumSHA512: of(types.ChecksumAlgorithmSha512),
		ChecksumMD5: of(types.ChecksumAlgorithmMd5), ChecksumXXHASH64: of(types.ChecksumAlgorithmXxhash64),
		ChecksumXXHASH3: of(types.ChecksumAlgorithmXxhash3), ChecksumXXHASH128: of(types.ChecksumAlgorithmXxhash128),
	}
}
