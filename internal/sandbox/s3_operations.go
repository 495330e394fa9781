package sandbox

import "maps"

// s3Operations are the operations that are served, by the API's names.
func s3Operations() map[string]s3Operation {
	ops := map[string]s3Operation{
		"ListBuckets":  {handle: (*s3Call).listBuckets, noBucket: true},
		"CreateBucket": {handle: (*s3Call).createBucket, noBucket: true, write: true},
		"HeadBucket":   {handle: (*s3Call).headBucket},
		"DeleteBucket": {handle: (*s3Call).deleteBucket, write: true},

		"ListObjects":          {handle: (*s3Call).listObjects},
		"ListObjectsV2":        {handle: (*s3Call).listObjectsV2},
		"ListObjectVersions":   {handle: (*s3Call).listObjectVersions},
		"ListMultipartUploads": {handle: (*s3Call).listMultipartUploads},
		"DeleteObjects":        {handle: (*s3Call).deleteObjects, write: true},

		"GetObject":           {handle: (*s3Call).getObject},
		"HeadObject":          {handle: (*s3Call).headObject},
		"PutObject":           {handle: (*s3Call).putObject, write: true},
		"CopyObject":          {handle: (*s3Call).copyObject, write: true},
		"DeleteObject":        {handle: (*s3Call).deleteObject, write: true},
		"GetObjectAttributes": {handle: (*s3Call).getObjectAttributes},
		"RestoreObject":       {handle: (*s3Call).restoreObject, write: true},

		"GetObjectTagging":    {handle: (*s3Call).getObjectTagging},
		"PutObjectTagging":    {handle: (*s3Call).putObjectTagging, write: true},
		"DeleteObjectTagging": {handle: (*s3Call).deleteObjectTagging, write: true},
		"GetObjectAcl":        {handle: (*s3Call).getObjectACL},
		"PutObjectAcl":        {handle: (*s3Call).putObjectACL, write: true},
		"GetObjectRetention":  {handle: (*s3Call).getObjectRetention},
		"PutObjectRetention":  {handle: (*s3Call).putObjectRetention, write: true},
		"GetObjectLegalHold":  {handle: (*s3Call).getObjectLegalHold},
		"PutObjectLegalHold":  {handle: (*s3Call).putObjectLegalHold, write: true},

		"ListObjectAnnotations":  {handle: (*s3Call).listObjectAnnotations},
		"GetObjectAnnotation":    {handle: (*s3Call).getObjectAnnotation},
		"PutObjectAnnotation":    {handle: (*s3Call).putObjectAnnotation, write: true},
		"DeleteObjectAnnotation": {handle: (*s3Call).deleteObjectAnnotation, write: true},

		"CreateMultipartUpload":   {handle: (*s3Call).createMultipartUpload, write: true},
		"UploadPart":              {handle: (*s3Call).uploadPart, write: true},
		"UploadPartCopy":          {handle: (*s3Call).uploadPartCopy, write: true},
		"CompleteMultipartUpload": {handle: (*s3Call).completeMultipartUpload, write: true},
		"AbortMultipartUpload":    {handle: (*s3Call).abortMultipartUpload, write: true},
		"ListParts":               {handle: (*s3Call).listParts},
	}
	maps.Copy(ops, bucketSettings())
	for _, r := range rawSettings() {
		ops["Get"+r.name] = s3Operation{handle: r.read}
		ops["Put"+r.name] = s3Operation{handle: r.write, write: true}
		ops["Delete"+lifecycleName("Delete", r.name)] = s3Operation{handle: r.remove, write: true}
	}
	for _, l := range listedSettings() {
		ops["ListBucket"+l.name+"Configurations"] = s3Operation{handle: l.list}
		ops["GetBucket"+l.name+"Configuration"] = s3Operation{handle: l.read}
		ops["PutBucket"+l.name+"Configuration"] = s3Operation{handle: l.write, write: true}
		ops["DeleteBucket"+l.name+"Configuration"] = s3Operation{handle: l.remove, write: true}
	}
	return ops
}

// bucketSettings are the operations on what a bucket is configured to do.
func bucketSettings() map[string]s3Operation {
	return map[string]s3Operation{
		"GetBucketLocation": {handle: (*s3Call).getBucketLocation, anyRegion: true},

		"GetBucketPolicy":         {handle: (*s3Call).getBucketPolicy},
		"PutBucketPolicy":         {handle: (*s3Call).putBucketPolicy, write: true},
		"DeleteBucketPolicy":      {handle: (*s3Call).deleteBucketPolicy, write: true},
		"GetBucketPolicyStatus":   {handle: (*s3Call).getBucketPolicyStatus},
		"GetPublicAccessBlock":    {handle: (*s3Call).getPublicAccessBlock},
		"PutPublicAccessBlock":    {handle: (*s3Call).putPublicAccessBlock, write: true},
		"DeletePublicAccessBlock": {handle: (*s3Call).deletePublicAccessBlock, write: true},

		"GetBucketOwnershipControls":    {handle: (*s3Call).getOwnershipControls},
		"PutBucketOwnershipControls":    {handle: (*s3Call).putOwnershipControls, write: true},
		"DeleteBucketOwnershipControls": {handle: (*s3Call).deleteOwnershipControls, write: true},
		"GetBucketEncryption":           {handle: (*s3Call).getBucketEncryption},
		"PutBucketEncryption":           {handle: (*s3Call).putBucketEncryption, write: true},
		"DeleteBucketEncryption":        {handle: (*s3Call).deleteBucketEncryption, write: true},
		"GetBucketVersioning":           {handle: (*s3Call).getBucketVersioning},
		"PutBucketVersioning":           {handle: (*s3Call).putBucketVersioning, write: true},
		"GetBucketTagging":              {handle: (*s3Call).getBucketTagging},
		"PutBucketTagging":              {handle: (*s3Call).putBucketTagging, write: true},
		"DeleteBucketTagging":           {handle: (*s3Call).deleteBucketTagging, write: true},
		"GetBucketRequestPayment":       {handle: (*s3Call).getBucketRequestPayment},
		"PutBucketRequestPayment":       {handle: (*s3Call).putBucketRequestPayment, write: true},
		"GetObjectLockConfiguration":    {handle: (*s3Call).getObjectLockConfiguration},
		"PutObjectLockConfiguration":    {handle: (*s3Call).putObjectLockConfiguration, write: true},
		"GetBucketAcl":                  {handle: (*s3Call).getBucketACL},
		"PutBucketAcl":                  {handle: (*s3Call).putBucketACL, write: true},
	}
}
