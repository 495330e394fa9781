package null

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
)

// An upload is a multipart upload under way.
type upload struct {
	key   string
	parts map[int]int64 // number → size
}

func (c *exchange) noUpload() {
	c.refuse("404 Not Found", "NoSuchUpload", "The specified upload does not exist.")
}

// find gives the upload that a request names. The world's lock is held.
func (c *exchange) find() (string, *upload) {
	id, _ := c.q.parameter("uploadId")
	return string(id), c.w.uploads[string(id)]
}

// copyPart notes a part.
func (c *exchange) copyPart() {
	i, ok := c.source()
	if !ok {
		return
	}
	size := c.w.cfg.Keys.Size(i)
	first, last, ok := parseRange(c.q.byteRange, size)
	if !ok {
		first, last = 0, size-1
	}
	number, _ := c.q.parameter("partNumber")
	n, err := strconv.Atoi(string(number))
	if err != nil || n < 1 || n > 10_000 {
		c.refuse("400 Bad Request", "InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive")
		return
	}
	c.w.mu.Lock()
	_, u := c.find()
	if u != nil {
		u.parts[n] = last - first + 1
	}
	c.w.mu.Unlock()
	if u == nil {
		c.noUpload()
		return
	}
	c.body = fmt.Appendf(c.body, xmlHead+"<CopyPartResult><ETag>&quot;%032x&quot;</ETag><LastModified>"+copiedXML+"</LastModified></CopyPartResult>", n)
}

// upload starts, lists, completes and aborts uploads.
func (c *exchange) upload() {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	switch {
	case c.q.has("uploads") && c.q.method == "POST":
		c.w.last++
		id := fmt.Sprintf("u%d", c.w.last)
		c.w.uploads[id] = &upload{key: string(c.key), parts: map[int]int64{}}
		c.body = fmt.Appendf(c.body, xmlHead+"<InitiateMultipartUploadResult><Bucket>%s</Bucket><UploadId>%s</UploadId></InitiateMultipartUploadResult>", c.bucket, id)
	case c.q.has("uploads"):
		c.listUploads()
	case c.q.method == "GET":
		c.listParts()
	case c.q.method == "DELETE":
		id, u := c.find()
		if u == nil {
			c.noUpload()
			return
		}
		delete(c.w.uploads, id)
		c.status = "204 No Content"
	default:
		c.complete()
	}
}

func (c *exchange) listUploads() {
	prefix, _ := c.q.parameter("prefix")
	c.body = append(c.body, xmlHead+"<ListMultipartUploadsResult><IsTruncated>false</IsTruncated><EncodingType>url</EncodingType>"...)
	for id, u := range c.w.uploads {
		if bytes.HasPrefix([]byte(u.key), prefix) {
			c.body = append(appendEncoded(append(c.body, "<Upload><Key>"...), []byte(u.key)), "</Key><UploadId>"...)
			c.body = append(append(c.body, id...), "</UploadId><Initiated>"+copiedXML+"</Initiated></Upload>"...)
		}
	}
	c.body = append(c.body, "</ListMultipartUploadsResult>"...)
}

func (c *exchange) listParts() {
	_, u := c.find()
	if u == nil {
		c.noUpload()
		return
	}
	numbers := make([]int, 0, len(u.parts))
	for n := range u.parts {
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	after := 0
	if v, ok := c.q.parameter("part-number-marker"); ok {
		after, _ = strconv.Atoi(string(v)) // what is no number lists all
	}
	numbers = slices.DeleteFunc(numbers, func(n int) bool { return n <= after })
	page := numbers[:min(len(numbers), pageMost)]
	c.body = fmt.Appendf(c.body, xmlHead+"<ListPartsResult><IsTruncated>%t</IsTruncated>", len(numbers) > len(page))
	for _, n := range page {
		c.body = fmt.Appendf(c.body, "<Part><PartNumber>%d</PartNumber><LastModified>"+copiedXML+"</LastModified><ETag>&quot;%032x&quot;</ETag><Size>%d</Size></Part>", n, n, u.parts[n])
	}
	if len(page) > 0 {
		c.body = fmt.Appendf(c.body, "<NextPartNumberMarker>%d</NextPartNumberMarker>", page[len(page)-1])
	}
	c.body = append(c.body, "</ListPartsResult>"...)
}

// complete writes the object when its parts make it whole.
func (c *exchange) complete() {
	id, u := c.find()
	i := c.w.cfg.Keys.Find(c.key)
	if u == nil || u.key != string(c.key) || i < 0 {
		c.noUpload()
		return
	}
	var size int64
	for _, n := range u.parts {
		size += n
	}
	if size != c.w.cfg.Keys.Size(i) {
		c.refuse("400 Bad Request", "InvalidPart", fmt.Sprintf("The parts have %d bytes of %d.", size, c.w.cfg.Keys.Size(i)))
		return
	}
	delete(c.w.uploads, id)
	c.w.write(i)
	c.body = append(c.body, xmlHead+"<CompleteMultipartUploadResult><ETag>&quot;"...)
	c.body = append(appendETag(c.body, i), "-"...)
	c.body = append(strconv.AppendInt(c.body, int64(len(u.parts)), 10), "&quot;</ETag><ChecksumCRC64NVME>"...)
	c.body = append(appendSum(c.body, i), "</ChecksumCRC64NVME><ChecksumType>FULL_OBJECT</ChecksumType></CompleteMultipartUploadResult>"...)
}
