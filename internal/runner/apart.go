package runner

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"xplan/internal/compile"
	"xplan/internal/s3copy"
)

// apart refuses a pair whose two parts overlap in what looks like one bucket at two addresses: a copy would fall on objects that are
// still to be copied, or be one of them. The plan was asked already, by addresses. It costs two pages, where the buckets have one name.
// Held by TestPartsOfOneBucketThatOverlapAreNotCopied.
func (r pairRunner) apart(ctx context.Context, c compile.CopySpec) error {
	p := c.Pair
	within := p.Prefix
	if len(p.ToPrefix) < len(within) {
		within = p.ToPrefix
	}
	if p.Source != p.Destination || p.Prefix == p.ToPrefix || !strings.HasPrefix(p.Prefix, within) || !strings.HasPrefix(p.ToPrefix, within) {
		return nil
	}
	job := r.asAdmins(s3copy.Scan, c)
	here, err := job.Source.ListPage(ctx, s3copy.PageRequest{Prefix: within}, nil)
	if err != nil {
		return unlessDenied(err)
	}
	there, err := job.Destination.ListPage(ctx, s3copy.PageRequest{Prefix: within}, nil)
	if err != nil {
		return unlessDenied(err)
	}
	of := make(map[string]s3copy.Object, len(there.Objects))
	for _, o := range there.Objects {
		of[o.Key] = o
	}
	same := 0
	for _, o := range here.Objects {
		if other, ok := of[o.Key]; ok && other.ETag == o.ETag && other.Modified.Equal(o.Modified) {
			same++
		}
	}
	if 2*same <= len(here.Objects) { // somebody may write there this moment
		return nil
	}
	return fmt.Errorf("source and destination have the name %s, and objects of the same moment: they look like one bucket at two addresses, "+
		"and %q overlaps %q there; nothing is copied or deleted: name two buckets, or prefixes of which none begins with the other", p.Source, p.Prefix, p.ToPrefix)
}

// unlessDenied passes over what may not be read: nothing is known then.
func unlessDenied(err error) error {
	if errors.Is(err, s3copy.ErrDenied) {
		return nil
	}
	return err
}

// foldedSamples is how many keys that a destination does not list are asked for by name.
const foldedSamples = 100

// folded gives a key of the source that the destination has and does not list, as a server does to which several keys are one; "" where
// none was found among the first that it lacks. S3 itself is none of these.
// Held by TestAMirrorDoesNotClearWhatTheDestinationListsUnderAnotherName.
func (r pairRunner) folded(ctx context.Context, c compile.CopySpec) (key string, err error) {
	if c.DestAccount != "" {
		return "", nil
	}
	job := r.asAdmins(s3copy.Scan, c)
	job.Samples = foldedSamples
	sum, err := r.d.Engine.Run(ctx, job)
	if err != nil {
		return "", err
	}
	for _, s := range sum.Samples["new"] {
		_, err := job.Destination.Head(ctx, s3copy.HeadRequest{Key: c.Pair.ToPrefix + s.Key[len(c.Pair.Prefix):]})
		switch {
		case err == nil:
			return s.Key, nil
		case !errors.Is(err, s3copy.ErrNotFound):
			return "", err
		}
	}
	return "", nil
}
