package s3copy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// unlike is why the copy of an object with the right bytes is made again.
const unlike Reason = "the tags or headers differ"

// carried compares what a copy takes along beside the bytes, before the source goes. Tags change neither ETag
// nor date, so they are always asked for; headers change with a write only, so they are asked for where the
// source was not written before its copy was, by one server's clock, and where objects may redirect.
func (r *run) carried(ctx context.Context, t *task) error {
	if r.job.Rules.Tags {
		if err := r.sameTags(ctx, t); err != nil {
			return err
		}
	}
	if !r.job.Streaming && !r.job.Rules.Redirects && t.src.Modified.Before(t.dst.Modified) {
		return nil
	}
	return r.sameHeaders(ctx, t)
}

// aTag is what differs where tags do.
const aTag = "tag"

func (r *run) sameTags(ctx context.Context, t *task) error {
	src, err := r.tags(ctx, r.job.Source, t.src.Key, t.version)
	switch {
	case errors.Is(err, ErrNotFound):
		return errGone
	case err != nil:
		return &ObjectError{Phase: phaseVerify, Key: t.src.Key, Err: fmt.Errorf("read the source's tags: %w", err)}
	}
	dst, err := r.tags(ctx, r.job.Destination, r.job.place(t.src.Key), t.copied)
	if err != nil {
		return &ObjectError{Phase: phaseVerify, Key: t.src.Key, Err: fmt.Errorf("read the copy's tags: %w", err)}
	}
	return t.differ(aTag, src, dst)
}

// tags reads an object's tags. A server without tags has none.
func (r *run) tags(ctx context.Context, from TagReader, key, version string) (map[string]string, error) {
	all, err := paced(ctx, r, key, func(ctx context.Context) ([]Tag, error) { return from.Tags(ctx, key, version) })
	if err != nil && !errors.Is(err, ErrUnsupported) {
		return nil, err
	}
	out := make(map[string]string, len(all))
	for _, tag := range all {
		out[tag.Key] = tag.Value
	}
	return out, nil
}

func (r *run) sameHeaders(ctx context.Context, t *task) error {
	src, err := r.head(ctx, r.job.Source, HeadRequest{Key: t.src.Key, VersionID: t.version})
	switch {
	case errors.Is(err, ErrNotFound):
		return errGone
	case err != nil:
		return &ObjectError{Phase: phaseVerify, Key: t.src.Key, Err: fmt.Errorf("head the source: %w", err)}
	}
	dst, err := r.head(ctx, r.job.Destination, HeadRequest{Key: r.job.place(t.src.Key), VersionID: t.copied})
	if err != nil {
		return &ObjectError{Phase: phaseVerify, Key: t.src.Key, Err: fmt.Errorf("head the copy: %w", err)}
	}
	return t.differ("header", src.Headers.named(), dst.Headers.named())
}

// carriedVersions compares what copies of versions take along, as carried does. It is no mark for the next copy: an old
// version cannot be made again in its place.
func (r *run) carriedVersions(ctx context.Context, t *task, a alignment) error {
	beneath := t.dst.Chain.length() - a.held
	for i := range a.held {
		s, d := t.src.Chain.from(i), t.dst.Chain.from(beneath+i)
		if s.Marker {
			continue
		}
		one := t.one(s)
		one.dst, one.copied = d.Object, d.ID
		err := r.carried(ctx, one)
		if other, ok := errors.AsType[*differsError](err); ok {
			way := "copy its history to another place, as no version's headers can be changed"
			if strings.HasPrefix(string(other.Reason), aTag) {
				way = "make them equal by hand"
			}
			err = fmt.Errorf("%w from its copy's, version %s at the destination: %s", other, d.ID, way)
		}
		if err != nil {
			return r.versionError(t, s, phaseVerify, err)
		}
	}
	return nil
}

// named are the headers by name. An object without a Content-Type has the
// server's default one.
func (h Headers) named() map[string]string {
	all := map[string]string{
		"Content-Type": cmp.Or(h.ContentType, noType), "Content-Encoding": h.ContentEncoding,
		"Content-Disposition": h.ContentDisposition, "Content-Language": h.ContentLanguage,
		"Cache-Control": h.CacheControl, "Expires": h.Expires,
		"x-amz-website-redirect-location": h.WebsiteRedirect,
	}
	if all["Content-Type"] == "application/octet-stream" {
		all["Content-Type"] = noType
	}
	for name, value := range h.Metadata {
		all["x-amz-meta-"+strings.ToLower(name)] = value
	}
	maps.DeleteFunc(all, func(_, value string) bool { return value == "" })
	return all
}

// noType is what S3 says of an object that has no type.
const noType = "binary/octet-stream"

// differ names what is not the same on both sides: never by its value, which is nobody's business.
func (t *task) differ(what string, src, dst map[string]string) error {
	var names []string
	for name, value := range src {
		if other, ok := dst[name]; !ok || other != value {
			names = append(names, name)
		}
	}
	for name := range dst {
		if _, ok := src[name]; !ok {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	return &ObjectError{Phase: phaseAttributes, Key: t.src.Key, Err: &differsError{Reason(fmt.Sprintf("%s %q", what, names[0]))}}
}

// A Failure that was not counted leaves the counts alone when it is healed.
func (f *Failure) counted() bool { return f.Phase != phaseAttributes && f.Phase != phaseDelete }

// Marks are the failures of a deletion's proof that copying the objects again will mend: see [Job.Marked].
func Marks(all []Failure) []Failure {
	var marks []Failure
	for i := range all {
		if all[i].Phase == phaseAttributes {
			marks = append(marks, all[i])
		}
	}
	return marks
}

// marks are those of this run, sorted by key. Only after work.
func (r *run) marks() []Failure {
	byKey := func(a, b Failure) int { return cmp.Compare(a.Key, b.Key) }
	return Marks(slices.SortedFunc(maps.Values(r.books.standing), byKey))
}

func (j *Job) mark() {
	j.marked = make(map[string]bool, len(j.Marked))
	for i := range j.Marked {
		j.marked[j.Marked[i].Key] = true
	}
}
