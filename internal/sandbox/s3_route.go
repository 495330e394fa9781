package sandbox

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// virtualBucket is the bucket that the Host header names (bucket.localhost,
// bucket.s3.eu-west-1.localhost), or "" where the path names it.
func virtualBucket(r *http.Request) string {
	host := r.Host
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		host = host[:i]
	}
	name, ok := strings.CutSuffix(host, ".localhost")
	if !ok {
		return ""
	}
	if i := strings.LastIndex(name+".", ".s3."); i >= 0 {
		name = name[:i]
	}
	return name
}

// classify finds out what a request asks for, before it is authenticated.
func (s *s3Service) classify(r *http.Request) target {
	t := target{Service: "s3"}
	path := strings.TrimPrefix(r.URL.Path, "/")
	if t.Bucket = virtualBucket(r); t.Bucket != "" {
		t.Key = path
	} else {
		t.Bucket, t.Key, _ = strings.Cut(path, "/")
	}
	t.Operation = operationOf(r, t)
	t.Write = s.ops[t.Operation].write
	return t
}

// operationOf names the operation by method, target and subresource.
func operationOf(r *http.Request, t target) string {
	var query url.Values
	if r.URL.RawQuery != "" {
		query, _ = url.ParseQuery(r.URL.RawQuery)
	}
	switch {
	case t.Bucket == "":
		if r.Method == http.MethodGet {
			return "ListBuckets"
		}
		return ""
	case t.Key == "":
		return bucketOperation(r.Method, query)
	default:
		return objectOperation(r, query)
	}
}

// bucketSubresources are the settings of a bucket, and what the API calls them.
func bucketSubresource(name string) string {
	switch name {
	case "policy":
		return "BucketPolicy"
	case "policyStatus":
		return "BucketPolicyStatus"
	case "publicAccessBlock":
		return "PublicAccessBlock"
	case "ownershipControls":
		return "BucketOwnershipControls"
	case "encryption":
		return "BucketEncryption"
	case "versioning":
		return "BucketVersioning"
	case "tagging":
		return "BucketTagging"
	case "requestPayment":
		return "BucketRequestPayment"
	case "object-lock":
		return "ObjectLockConfiguration"
	case "acl":
		return "BucketAcl"
	case "lifecycle":
		return "BucketLifecycleConfiguration"
	case "cors":
		return "BucketCors"
	case "replication":
		return "BucketReplication"
	case "notification":
		return "BucketNotificationConfiguration"
	case "website":
		return "BucketWebsite"
	case "logging":
		return "BucketLogging"
	case "accelerate":
		return "BucketAccelerateConfiguration"
	case "location":
		return "BucketLocation"
	default:
		return ""
	}
}

// listedSubresource: a bucket may have many of these, by their IDs.
func listedSubresource(name string) string {
	switch name {
	case "inventory":
		return "Inventory"
	case "analytics":
		return "Analytics"
	case "metrics":
		return "Metrics"
	case "intelligent-tiering":
		return "IntelligentTiering"
	default:
		return ""
	}
}

func listedOperation(verb, listed string, query url.Values) string {
	if verb == "Get" && !query.Has("id") {
		return "ListBucket" + listed + "Configurations"
	}
	return verb + "Bucket" + listed + "Configuration"
}

func bucketOperation(method string, query url.Values) string {
	if method == http.MethodHead {
		return "HeadBucket"
	}
	if method == http.MethodPost {
		if query.Has("delete") {
			return "DeleteObjects"
		}
		return ""
	}
	verb, plain := "Get", "ListObjects"
	switch method {
	case http.MethodGet:
		switch {
		case query.Get("list-type") == "2":
			return "ListObjectsV2"
		case query.Has("versions"):
			return "ListObjectVersions"
		case query.Has("uploads"):
			return "ListMultipartUploads"
		}
	case http.MethodPut:
		verb, plain = "Put", "CreateBucket"
	case http.MethodDelete:
		verb, plain = "Delete", "DeleteBucket"
	default:
		return ""
	}
	for name := range query {
		if listed := listedSubresource(name); listed != "" {
			return listedOperation(verb, listed, query)
		}
		if sub := bucketSubresource(name); sub != "" {
			return verb + lifecycleName(verb, sub)
		}
	}
	if unknownSubresource(query) {
		return ""
	}
	return plain
}

// lifecycleName: the API's one irregular verb is DeleteBucketLifecycle.
func lifecycleName(verb, sub string) string {
	if verb == "Delete" && sub == "BucketLifecycleConfiguration" {
		return "BucketLifecycle"
	}
	return sub
}

// unknownSubresource keeps a subresource that is not served from being taken
// for a listing, or, worse, for the making or deleting of a bucket.
func unknownSubresource(query url.Values) bool {
	return slices.ContainsFunc([]string{
		"metadataTable", "metadataConfiguration", "session", "abac", "versions", "uploads", "delete",
	}, query.Has)
}

func objectOperation(r *http.Request, query url.Values) string {
	if slices.ContainsFunc([]string{"torrent", "select", "renameObject", "encryption"}, query.Has) {
		return ""
	}
	switch r.Method {
	case http.MethodHead:
		return "HeadObject"
	case http.MethodGet:
		if query.Has("uploadId") {
			return "ListParts"
		}
		return objectSubresource("Get", query)
	case http.MethodPut:
		copying := r.Header.Get("X-Amz-Copy-Source") != ""
		switch {
		case query.Has("uploadId") && copying:
			return "UploadPartCopy"
		case query.Has("uploadId"):
			return "UploadPart"
		case copying && objectSubresource("Put", query) == "PutObject":
			return "CopyObject"
		}
		return objectSubresource("Put", query)
	case http.MethodPost:
		switch {
		case query.Has("uploads"):
			return "CreateMultipartUpload"
		case query.Has("uploadId"):
			return "CompleteMultipartUpload"
		case query.Has("restore"):
			return "RestoreObject"
		}
	case http.MethodDelete:
		if query.Has("uploadId") {
			return "AbortMultipartUpload"
		}
		return objectSubresource("Delete", query)
	}
	return ""
}

func objectSubresource(verb string, query url.Values) string {
	if verb == "Get" && query.Has("annotation") && !query.Has("annotationName") {
		return "ListObjectAnnotations"
	}
	if len(query) == 0 {
		return verb + "Object"
	}
	for name, sub := range map[string]string{
		"annotation": "ObjectAnnotation", "tagging": "ObjectTagging", "acl": "ObjectAcl", "attributes": "ObjectAttributes",
		"retention": "ObjectRetention", "legal-hold": "ObjectLegalHold",
	} {
		if query.Has(name) {
			return verb + sub
		}
	}
	return verb + "Object"
}
