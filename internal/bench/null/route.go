package null

import "bytes"

// kindOf tells what a request is for.
func (c *exchange) kindOf() Kind {
	q := &c.q
	if len(c.key) == 0 {
		return c.bucketKind()
	}
	switch q.method {
	case "HEAD":
		return Head
	case "GET":
		switch {
		case q.has("tagging"):
			return Tags
		case q.has("uploadId"):
			return Upload
		}
		return Get
	case "PUT":
		switch {
		case q.has("tagging"):
			return Tags
		case q.copySource == nil:
			return Put
		case q.has("uploadId"):
			return PartCopy
		}
		return Copy
	case "POST":
		return Upload
	case "DELETE":
		if q.has("uploadId") {
			return Upload
		}
		return Delete
	}
	return Bucket
}

func (c *exchange) bucketKind() Kind {
	q := &c.q
	switch {
	case q.method == "POST" && q.has("delete"):
		return Delete
	case q.method == "GET" && q.has("uploads"):
		return Upload
	case q.method != "GET" || len(c.bucket) == 0 || !c.listing():
		return Bucket
	case string(c.bucket) == Source:
		return ListSource
	}
	return ListDestination
}

// listing tells whether a GET of a bucket lists it: it has no parameter but those of listings.
func (c *exchange) listing() bool {
	for rest := c.q.query; len(rest) > 0; {
		var pair []byte
		pair, rest, _ = bytes.Cut(rest, []byte("&"))
		name, _, _ := bytes.Cut(pair, []byte("="))
		switch string(name) {
		case "list-type", "prefix", "delimiter", "max-keys", "encoding-type", "start-after", "continuation-token", "marker", "fetch-owner", "x-id":
		default:
			return false
		}
	}
	return true
}

// route does what is asked.
func (c *exchange) route() {
	if len(c.bucket) > 0 && string(c.bucket) != Source && string(c.bucket) != Destination {
		c.refuse("404 Not Found", "NoSuchBucket", "The specified bucket does not exist")
		return
	}
	switch c.kind {
	case ListSource, ListDestination:
		c.list()
	case Head, Get:
		c.object()
	case Copy:
		c.copyObject()
	case PartCopy:
		c.copyPart()
	case Put:
		c.put()
	case Upload:
		c.upload()
	case Delete:
		c.delete()
	case Tags:
		c.body = append(c.body, xmlHead+"<Tagging><TagSet></TagSet></Tagging>"...)
	default:
		c.settings()
	}
}

// settings answers what is asked about a bucket: nothing is configured.
func (c *exchange) settings() {
	switch {
	case len(c.bucket) == 0:
		c.body = append(c.body, xmlHead+"<ListAllMyBucketsResult><Owner><ID>null</ID></Owner><Buckets>"+
			"<Bucket><Name>"+Destination+"</Name><CreationDate>"+modifiedXML+"</CreationDate></Bucket>"+
			"<Bucket><Name>"+Source+"</Name><CreationDate>"+modifiedXML+"</CreationDate></Bucket></Buckets></ListAllMyBucketsResult>"...)
	case c.q.method == "HEAD" || c.q.method == "PUT":
		c.header("x-amz-bucket-region", []byte("us-east-1"))
	case c.q.has("location"):
		c.body = append(c.body, xmlHead+"<LocationConstraint></LocationConstraint>"...)
	case c.q.has("versioning"):
		c.body = append(c.body, xmlHead+"<VersioningConfiguration></VersioningConfiguration>"...)
	case c.q.has("policy"):
		c.refuse("404 Not Found", "NoSuchBucketPolicy", "The bucket policy does not exist")
	default:
		c.refuse("501 Not Implemented", "NotImplemented", "This server has no such setting.")
	}
}
