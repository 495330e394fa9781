package awsapi

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"xplan/internal/s3copy"
)

// listOnLane reads a page by the lane. Where that is not all there is to do, it gives the reply for the SDK to judge.
func (b *bucket) listOnLane(ctx context.Context, c *s3.Client, r s3copy.PageRequest, buf []s3copy.Object) (s3copy.Page, *reply, bool) {
	l := b.lane(ctx, c)
	if l == nil {
		return s3copy.Page{}, nil, false
	}
	q := ask("ListObjectsV2", http.MethodGet, "")
	q.query = b.listQuery(r)
	q.set("X-Amz-Optional-Object-Attributes", string(types.OptionalObjectAttributesRestoreStatus))
	q.set("X-Amz-Request-Payer", string(b.payer()))
	answer := l.send(ctx, &q)
	if !answer.yes() {
		return s3copy.Page{}, answer, false
	}
	page, ok := readPage(answer.body, buf)
	return page, answer, ok && (!page.More || page.Token != "")
}

func (b *bucket) listQuery(r s3copy.PageRequest) string {
	query := "list-type=2&encoding-type=url&max-keys=" + strconv.Itoa(pageLength(r))
	if r.Prefix != "" {
		query += "&prefix=" + url.QueryEscape(r.Prefix)
	}
	switch {
	case r.Token != "":
		query += "&continuation-token=" + url.QueryEscape(r.Token)
	case r.After != "":
		query += "&start-after=" + url.QueryEscape(r.After)
	}
	if b.session.options.FetchOwner || b.at.Owners {
		query += "&fetch-owner=true"
	}
	return query
}

// pageLength is how many keys a page is to have.
func pageLength(r s3copy.PageRequest) int {
	if r.Max > 0 {
		return min(r.Max, pageSize)
	}
	return pageSize
}

const (
	listRoot     = "ListBucketResult"
	urlEncoded   = "<EncodingType>url</EncodingType>"
	encodingType = "url"
)

// A pageReader reads a page of a listing.
type pageReader struct {
	scanner
	encoded bool // keys are, as far as can be seen before the end
	strings strand
	decoded []byte
	page    s3copy.Page
}

// readPage reads a page, its objects into buf. Keys are decoded: some servers say only behind them that they
// are encoded, so that is looked for first, and held against what the page says in the end.
func readPage(body []byte, buf []s3copy.Object) (s3copy.Page, bool) {
	p := pageReader{scanner: scanner{b: body}, encoded: bytes.Contains(body, []byte(urlEncoded)), page: s3copy.Page{Objects: buf[:0]}}
	encoding := ""
	p.root(listRoot)
	for name := p.child(listRoot); name != nil; name = p.child(listRoot) {
		switch string(name) {
		case "Contents":
			p.object()
		case "IsTruncated":
			p.page.More = p.boolean(name)
		case "NextContinuationToken":
			p.page.Token = string(p.text(name))
		case "EncodingType":
			encoding = string(p.text(name))
		case "KeyCount", "MaxKeys":
			p.odd = p.number(name) > 1<<30 || p.odd
		case "Name", "Prefix", "Delimiter", "StartAfter", "ContinuationToken":
			p.skip(name)
		default:
			p.odd = true
		}
	}
	return p.page, p.end() && p.encoded == (encoding == encodingType)
}

func (p *pageReader) object() {
	const parent = "Contents"
	last := s3copy.Object{}
	if n := len(p.page.Objects); n > 0 {
		last = p.page.Objects[n-1]
	}
	var o s3copy.Object
	o.Algorithm = none
	restores := false
	for name := p.child(parent); name != nil; name = p.child(parent) {
		switch string(name) {
		case "Key":
			o.Key = p.key(p.text(name))
		case "LastModified":
			o.Modified = p.moment(name)
		case "ETag":
			o.ETag = p.strings.keep(unquoted(p.text(name)))
		case "Size":
			o.Size = s3copy.Bytes(p.number(name))
		case "StorageClass":
			o.StorageClass = classOf(again(last.StorageClass, p.text(name)))
		case "ChecksumAlgorithm":
			if algorithm := again(last.Algorithm, p.text(name)); o.Algorithm == none {
				o.Algorithm = algorithm
			}
		case "ChecksumType":
			o.Checksum = s3copy.ChecksumType(again(string(last.Checksum), p.text(name)))
		case "Owner":
			p.owner(&o, last.Owner)
		case "RestoreStatus":
			p.odd = p.odd || restores // the SDK would make one of both
			restores = true
			o.Restored, o.Restoring = p.restored()
		default:
			p.odd = true
		}
	}
	if o.Algorithm == none {
		o.Algorithm = ""
	}
	if !p.odd {
		p.page.Objects = append(p.page.Objects, o)
	}
}

// none stands for an algorithm until the first one is read.
const none = "\x00"

// again makes a string, or takes the one that the object before had.
func again(last string, text []byte) string {
	switch string(text) {
	case last:
		return last
	case string(types.StorageClassStandard):
		return string(types.StorageClassStandard)
	}
	return string(text)
}

func (p *pageReader) owner(o *s3copy.Object, last string) {
	const parent = "Owner"
	for name := p.child(parent); name != nil; name = p.child(parent) {
		switch string(name) {
		case "ID":
			o.Owner = again(last, p.text(name))
		case "DisplayName":
			p.skip(name)
		default:
			p.odd = true
		}
	}
}

func (p *pageReader) restored() (done, running bool) {
	const parent = "RestoreStatus"
	expires := false
	for name := p.child(parent); name != nil; name = p.child(parent) {
		switch string(name) {
		case "IsRestoreInProgress":
			running = p.boolean(name)
		case "RestoreExpiryDate":
			p.moment(name)
			expires = true
		default:
			p.odd = true
		}
	}
	return expires && !running, running
}

// key decodes a key as decodeKey does.
func (p *pageReader) key(text []byte) string {
	if !p.encoded || bytes.IndexByte(text, '%') < 0 && bytes.IndexByte(text, '+') < 0 {
		return p.strings.keep(text)
	}
	p.decoded = p.decoded[:0]
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '+':
			p.decoded = append(p.decoded, ' ')
		case '%':
			if i+2 >= len(text) || unhex(text[i+1]) < 0 || unhex(text[i+2]) < 0 {
				p.odd = true
				return ""
			}
			p.decoded = append(p.decoded, byte(unhex(text[i+1])<<4|unhex(text[i+2])))
			i += 2
		default:
			p.decoded = append(p.decoded, c)
		}
	}
	return p.strings.keep(p.decoded)
}

func unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
