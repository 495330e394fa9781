package s3copy

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// push keeps a version in front of the key's others.
func (b *bucket) push(key string, o *stored) {
	if !b.versions {
		return
	}
	o.id = fmt.Sprintf("v%d", b.ids)
	if b.suspended {
		o.id = nullVersion
		b.chains[key] = slices.DeleteFunc(b.chains[key], func(old *stored) bool { return old.id == nullVersion })
	}
	b.chains[key] = append([]*stored{o}, b.chains[key]...)
}

// purge deletes one version for good; without an ID it hides the key, as S3 does.
func (b *bucket) purge(d Deletion) {
	if d.VersionID == "" {
		b.mark(d.Key)
		return
	}
	chain := slices.DeleteFunc(slices.Clone(b.chains[d.Key]), func(o *stored) bool { return o.id == d.VersionID })
	b.chains[d.Key] = chain
	delete(b.objects, d.Key)
	switch {
	case len(chain) == 0:
		delete(b.chains, d.Key)
	case !chain[0].marker:
		b.objects[d.Key] = chain[0]
	}
}

// find gives a version; "" is the current one.
func (b *bucket) find(key, version string) (*stored, bool) {
	if version == "" {
		o, ok := b.objects[key]
		return o, ok
	}
	for _, o := range b.chains[key] {
		if o.id == version {
			return o, !o.marker
		}
	}
	return nil, false
}

func (b *bucket) names() []string {
	if b.versions {
		return slices.Sorted(maps.Keys(b.chains))
	}
	return slices.Sorted(maps.Keys(b.objects))
}

// listed is a key as a listing has it.
func (b *bucket) listed(key string) Object {
	if !b.versions {
		o := b.objects[key].Object
		o.Algorithm = ""
		return o
	}
	chain := &Chain{}
	for _, o := range b.chains[key] {
		v := Version{ID: o.id, Marker: o.marker, Object: o.Object}
		v.Algorithm = ""
		chain.Versions = append(chain.Versions, v)
	}
	return Object{Key: key, Size: chain.Bytes(), Modified: b.chains[key][0].Modified, Chain: chain}
}

func (b *bucket) answer(o *stored) Copied {
	return Copied{ETag: o.ETag, Checksums: o.Checksums, Type: o.Checksum, VersionID: o.id}
}

// PutMarker hides a key.
func (b *bucket) PutMarker(_ context.Context, key string) (string, error) {
	err := b.enter("marker", key)
	defer b.done("marker", key)
	if err != nil {
		return "", err
	}
	b.copies[key]++
	return b.mark(key).id, nil
}

func (b *bucket) mark(key string) *stored {
	b.ids++
	o := &stored{marker: true}
	o.Key = key
	delete(b.objects, key)
	b.push(key, o)
	return o
}

// expire takes the key's oldest version away.
func (b *bucket) expire(key string) {
	chain := b.chains[key]
	if b.chains[key] = chain[:len(chain)-1]; len(chain) == 1 {
		delete(b.chains, key)
		delete(b.objects, key)
	}
}

// told is a key's history in words, the oldest first.
func (b *bucket) told(key string) []string {
	var all []string
	for _, o := range slices.Backward(b.chains[key]) {
		if o.marker {
			all = append(all, "gone")
		} else {
			all = append(all, string(o.body))
		}
	}
	return all
}

// versioned is a pair of buckets that keep versions.
func versioned() (src, dst *bucket, job Job) {
	src, dst, job = pair()
	src.versions, dst.versions, job.Versions = true, true, true
	return src, dst, job
}

// write writes versions of a key, the oldest first; "gone" is a delete marker.
func (b *bucket) write(key string, bodies ...string) {
	for _, body := range bodies {
		if body == "gone" {
			b.mark(key)
		} else {
			b.put(key, body)
		}
	}
}
