package awsapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"xplan/internal/s3copy"
)

// listVersions reads a page of the bucket's versions, as whole keys: the last one, whose rest may be on the next page, is
// left to that, and where one key fills a page, the next ones are read until it is whole. So a token is a key.
func (b *bucket) listVersions(ctx context.Context, c *s3.Client, r s3copy.PageRequest, buf []s3copy.Object) (s3copy.Page, error) {
	in := b.versionsInput(r)
	var all chains
	for {
		out, order, err := b.versionsPage(ctx, c, in)
		if err == nil {
			err = all.add(in, out, order)
		}
		if err != nil {
			return s3copy.Page{}, fmt.Errorf("list the versions of bucket %s: %w", b.at.Bucket, err)
		}
		more := aws.ToBool(out.IsTruncated)
		if !more || all.keys() > 1 {
			return all.page(buf, r.Max, more), nil
		}
		key, err := decodeKey(aws.ToString(out.NextKeyMarker), out.EncodingType)
		switch {
		case err != nil:
			return s3copy.Page{}, err
		case key == "", key == aws.ToString(in.KeyMarker) && aws.ToString(out.NextVersionIdMarker) == aws.ToString(in.VersionIdMarker):
			return s3copy.Page{}, fmt.Errorf("list the versions of bucket %s: the page says that there is more, and not where", b.at.Bucket)
		}
		in.KeyMarker, in.VersionIdMarker, in.MaxKeys = &key, out.NextVersionIdMarker, aws.Int32(pageSize)
	}
}

func (b *bucket) versionsInput(r s3copy.PageRequest) *s3.ListObjectVersionsInput {
	in := &s3.ListObjectVersionsInput{
		Bucket: &b.at.Bucket, Prefix: optional(r.Prefix), MaxKeys: aws.Int32(pageSize), KeyMarker: optional(r.After),
		EncodingType:             types.EncodingTypeUrl,
		OptionalObjectAttributes: []types.OptionalObjectAttributes{types.OptionalObjectAttributesRestoreStatus},
		RequestPayer:             b.payer(),
	}
	if r.Token != "" {
		in.KeyMarker = &r.Token
	}
	if r.Max > 0 { // and one of the next key, which shows that these are whole
		in.MaxKeys = aws.Int32(int32(min(r.Max+1, pageSize)))
	}
	return in
}

func (b *bucket) versionsPage(ctx context.Context, c *s3.Client, in *s3.ListObjectVersionsInput) (*s3.ListObjectVersionsOutput, []bool, error) {
	var order markers
	out, err := c.ListObjectVersions(ctx, in, order.watch)
	if err != nil {
		return nil, nil, because404(failed(err, "list the versions of bucket %s", b.at.Bucket), s3copy.ErrNoBucket)
	}
	return out, order, nil
}

// markers tell of each entry of a page of versions, in order, whether it is a delete marker. The SDK sorts versions and
// markers into two lists, and dates of a whole second do not tell which of two came first.
type markers []bool

func (m *markers) watch(o *s3.Options) {
	o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
		return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("xplanVersionOrder", m.handle), middleware.After)
	})
}

func (m *markers) handle(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (
	middleware.DeserializeOutput, middleware.Metadata, error,
) {
	out, md, err := next.HandleDeserialize(ctx, in)
	resp, ok := out.RawResponse.(*smithyhttp.Response)
	if err != nil || !ok {
		return out, md, err
	}
	body, broke := io.ReadAll(resp.Body)
	*m = entriesOf(body)
	rest := io.Reader(bytes.NewReader(body))
	if broke != nil { // that is for the reader of the body
		rest = io.MultiReader(rest, broken{broke})
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{rest, resp.Body}
	return out, md, nil
}

// entriesOf finds the entries' tags. No text holds one: XML writes < as &lt; in it.
func entriesOf(body []byte) markers {
	const version, marker = "<Version>", "<DeleteMarker>"
	var all markers
	for {
		at := bytes.IndexByte(body, '<')
		if at < 0 {
			return all
		}
		body = body[at:]
		switch {
		case bytes.HasPrefix(body, []byte(version)):
			all = append(all, false)
		case bytes.HasPrefix(body, []byte(marker)):
			all = append(all, true)
		}
		body = body[1:]
	}
}

// errApart refuses a server that does not say in which order a key was written and deleted.
var errApart = fmt.Errorf("the server lists a key's versions and delete markers apart, so that their order is not known: %w", s3copy.ErrUnsupported)

// chains gather pages of versions as keys.
type chains struct {
	versions []s3copy.Version
	starts   []int // where each key's begin
}

func (c *chains) keys() int { return len(c.starts) }

// add takes a page in. Entries that were asked to be behind are not.
func (c *chains) add(in *s3.ListObjectVersionsInput, out *s3.ListObjectVersionsOutput, order []bool) error {
	if len(order) != len(out.Versions)+len(out.DeleteMarkers) {
		return errors.New("the answer cannot be read")
	}
	nextVersion, nextMarker := 0, 0
	for _, marker := range order {
		var v s3copy.Version
		var err error
		if marker {
			v, err = markerOf(&out.DeleteMarkers[nextMarker], out.EncodingType)
			nextMarker++
		} else {
			v, err = versionOf(&out.Versions[nextVersion], out.EncodingType)
			nextVersion++
		}
		if err != nil {
			return err
		}
		if in.VersionIdMarker == nil && in.KeyMarker != nil && v.Key <= *in.KeyMarker {
			continue
		}
		if err := c.push(v); err != nil {
			return err
		}
	}
	return nil
}

func (c *chains) push(v s3copy.Version) error {
	if n := len(c.versions); n > 0 {
		switch last := &c.versions[n-1]; {
		case v.Key == last.Key && v.ID == last.ID: // the one that was to be behind
			return nil
		case v.Key == last.Key:
			v.Key = last.Key // one string for all
			c.versions = append(c.versions, v)
			return nil
		case v.Key < last.Key:
			return errApart
		}
	}
	c.starts = append(c.starts, len(c.versions))
	c.versions = append(c.versions, v)
	return nil
}

// page gives the keys that are whole, at most so many of them (0: all).
func (c *chains) page(buf []s3copy.Object, most int, more bool) s3copy.Page {
	whole := c.keys()
	if more {
		whole--
	}
	if most > 0 && whole > most {
		whole, more = most, true
	}
	p := s3copy.Page{Objects: buf[:0], More: more}
	kept := make([]s3copy.Chain, whole)
	for i := range whole {
		end := len(c.versions)
		if i+1 < c.keys() {
			end = c.starts[i+1]
		}
		chain := &kept[i]
		chain.Versions = c.versions[c.starts[i]:end:end]
		p.Objects = append(p.Objects, s3copy.Object{
			Key: chain.Versions[0].Key, Size: chain.Bytes(), Modified: chain.Versions[0].Modified, StorageClass: chain.Versions[0].StorageClass, Chain: chain,
		})
	}
	if more {
		p.Token = p.Objects[whole-1].Key
	}
	return p
}

func versionOf(o *types.ObjectVersion, encoding types.EncodingType) (s3copy.Version, error) {
	object, err := objectOf(&types.Object{
		Key: o.Key, Size: o.Size, ETag: o.ETag, StorageClass: types.ObjectStorageClass(o.StorageClass), LastModified: o.LastModified,
		ChecksumType: o.ChecksumType, ChecksumAlgorithm: o.ChecksumAlgorithm, RestoreStatus: o.RestoreStatus, Owner: o.Owner,
	}, encoding)
	return s3copy.Version{Object: object, ID: aws.ToString(o.VersionId)}, err
}

func markerOf(o *types.DeleteMarkerEntry, encoding types.EncodingType) (s3copy.Version, error) {
	key, err := decodeKey(aws.ToString(o.Key), encoding)
	return s3copy.Version{Object: s3copy.Object{Key: key, Modified: aws.ToTime(o.LastModified)}, ID: aws.ToString(o.VersionId), Marker: true}, err
}

// PutMarker makes a delete marker in front of a key's versions, and gives its version ID. It is asked for at most once.
func (b *bucket) PutMarker(ctx context.Context, key string) (string, error) {
	c, err := b.client(ctx)
	if err != nil {
		return "", err
	}
	out, err := c.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b.at.Bucket, Key: &key, RequestPayer: b.payer()}, b.once(true))
	if err != nil {
		return "", failed(err, "make a delete marker for object %q in %s", key, b.at.Bucket)
	}
	if !aws.ToBool(out.DeleteMarker) {
		return "", fmt.Errorf("make a delete marker for object %q in %s: the answer tells of none: %w", key, b.at.Bucket, s3copy.ErrUnversioned)
	}
	return aws.ToString(out.VersionId), nil
}
