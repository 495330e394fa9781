package s3copy

import (
	"context"
	"crypto/md5" //nolint:gosec // S3's ETags are MD5s
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"
)

const (
	partsMax    = 10_000  // of an upload
	partStep    = 1 << 20 // part sizes are multiples of it where they have to grow
	partSizeMax = 5 << 30
)

// partsOf gives the number of parts that a multipart ETag names, 0 for any other.
func partsOf(etag string) int {
	digest, count, ok := strings.Cut(etag, "-")
	if !ok || !isMD5(digest) {
		return 0
	}
	n, err := strconv.Atoi(count)
	if err != nil || n < 1 || n > partsMax {
		return 0
	}
	return n
}

// evenParts cuts size into parts of the given size, or of the least greater one that
// makes few enough of them.
func evenParts(size, part Bytes) []Bytes {
	part = evenPart(size, part)
	parts := make([]Bytes, 0, (size+part-1)/part)
	for ; size > part; size -= part {
		parts = append(parts, part)
	}
	return append(parts, size)
}

// evenPart is the given part size, or the least greater one that makes few enough of them.
func evenPart(size, part Bytes) Bytes {
	if least := (size + partsMax - 1) / partsMax; part < least {
		part = min((least+partStep-1)/partStep*partStep, partSizeMax)
	}
	return part
}

// sourceParts finds the source's own part layout, by HEADs. nil: it has none, or the
// server does not tell.
func (r *run) sourceParts(ctx context.Context, src *Object, version string) ([]Bytes, error) {
	n := partsOf(src.ETag)
	if n == 0 {
		return nil, nil
	}
	first, err := r.partSize(ctx, src, version, 1, n)
	if err != nil || first <= 0 {
		return nil, err
	}
	if n == 1 {
		if first != src.Size {
			return nil, nil
		}
		return []Bytes{first}, nil
	}
	last, err := r.partSize(ctx, src, version, n, n)
	if err != nil || last <= 0 {
		return nil, err
	}
	if Bytes(n-1)*first+last == src.Size {
		parts := make([]Bytes, n)
		for i := range parts {
			parts[i] = first
		}
		parts[n-1] = last
		return parts, nil
	}
	return r.oddParts(ctx, src, version, n)
}

// oddParts asks for the size of every part.
func (r *run) oddParts(ctx context.Context, src *Object, version string, n int) ([]Bytes, error) {
	parts := make([]Bytes, n)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(r.limits.PartsInFlight)
	for i := range parts {
		g.Go(func() (err error) {
			parts[i], err = r.partSize(ctx, src, version, i+1, n)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	var sum Bytes
	for _, p := range parts {
		sum += p
	}
	if sum != src.Size {
		return nil, nil
	}
	return parts, nil
}

// partSize gives the size of one part, 0 where the server does not tell. The ETag is
// not compared: some servers give the part's, and every part's copy has its condition.
func (r *run) partSize(ctx context.Context, src *Object, version string, number, parts int) (Bytes, error) {
	d, err := r.head(ctx, r.job.Source, HeadRequest{Key: src.Key, VersionID: version, Part: number})
	switch {
	case silentHead(err):
		return 0, nil
	case err != nil:
		return 0, fmt.Errorf("head part %d of the source: %w", number, err)
	case number == 1 && d.Parts != parts:
		return 0, nil
	}
	return d.PartSize, nil
}

// multipartETag gives the ETag of an object made of these parts: "" where a part's
// ETag is not an MD5.
func multipartETag(etags []string) string {
	sum := md5.New() //nolint:gosec // S3's ETags are MD5s
	for _, e := range etags {
		b, err := hex.DecodeString(e)
		if err != nil || len(b) != md5.Size {
			return ""
		}
		sum.Write(b)
	}
	return hex.EncodeToString(sum.Sum(nil)) + "-" + strconv.Itoa(len(etags))
}
