package plan

import (
	"fmt"
	"net/url"
	"strings"
)

func (c *checker) pairs() {
	c.globs("/copy")
	for i, pair := range c.plan.Buckets {
		at := item("/buckets", i)
		if c.enough() || !c.ok(at) {
			continue
		}
		c.bucketName(at+"/source", pair.Source, c.plan.Accounts.Source)
		c.bucketName(at+"/destination", pair.Destination, c.plan.Accounts.Destination)
		c.prefix(at+"/prefix", pair.Prefix)
		c.prefix(at+"/to_prefix", pair.ToPrefix)
		c.prefixes(at, pair)
		c.globs(at + "/copy")
		c.globsBelow(at, pair)
		c.versions(at, pair)
		c.restore(at, pair)
		c.settings(at, pair)
	}
}

func (c *checker) bucketName(at, name string, a Account) {
	if !c.has(at) || !c.ok(at) {
		return
	}
	if why, hint := bucketFault(name, a.IsAWS()); why != "" {
		c.wrong(at, dotted(at)+": "+c.quote(name)+" "+why, hint)
	}
}

// maxKey is the length of an object's key in bytes.
const maxKey = 1024

func (c *checker) prefix(at, prefix string) {
	if !c.has(at) || !c.ok(at) {
		return
	}
	switch {
	case len(prefix) > maxKey:
		c.wrong(at, fmt.Sprintf("%s is %d bytes long, and a key has at most %d", dotted(at), len(prefix), maxKey), "")
	case strings.HasPrefix(prefix, "s3://"):
		c.wrong(at, dotted(at)+" is an address, not a prefix", "what follows the bucket's name in it")
	case strings.HasPrefix(prefix, "/"):
		c.warn(at, dotted(at)+" begins with a slash, and few keys do", "")
	case strings.ContainsAny(prefix, "*?["):
		c.warn(at, dotted(at)+" is taken literally, "+c.quote(prefix)+" is no pattern", "patterns go to copy.include, on whole keys")
	}
}

func (c *checker) prefixes(at string, p Pair) {
	if !c.ok(at+"/prefix", at+"/to_prefix") {
		return
	}
	from, to := strings.HasSuffix(p.Prefix, "/"), strings.HasSuffix(p.ToPrefix, "/")
	switch {
	case p.ToPrefix != "" && !to && (p.Prefix == "" || from):
		c.warn(at+"/to_prefix", dotted(at)+".to_prefix ends without a slash, so that a key x becomes "+c.quote(p.ToPrefix+"x"), "")
	case p.Prefix != "" && !from && (p.ToPrefix == "" || to):
		c.warn(at+"/prefix", dotted(at)+".prefix ends without a slash, so that "+c.quote(p.Prefix+"/x")+" becomes "+c.quote(p.ToPrefix+"/x"), "")
	}
}

// A place is a part of a bucket. Buckets of one endpoint share their names.
type place struct{ endpoint, bucket, prefix string }

func (p place) overlaps(q place) bool {
	return p.endpoint == q.endpoint && p.bucket == q.bucket &&
		(strings.HasPrefix(p.prefix, q.prefix) || strings.HasPrefix(q.prefix, p.prefix))
}

func (p place) String() string { return p.bucket + "/" + p.prefix }

func endpointOf(a Account) string {
	if a.EndpointURL == "" {
		if part := partitionOf(a.Region); part == "aws-cn" || part == "aws-us-gov" {
			return part
		}
		return "aws"
	}
	u, err := url.Parse(a.EndpointURL)
	if err != nil {
		return a.EndpointURL
	}
	host := strings.ToLower(u.Hostname())
	if strings.HasSuffix(host, ".amazonaws.com") {
		return "aws"
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[strings.ToLower(u.Scheme)]
	}
	return host + ":" + port + strings.TrimRight(u.Path, "/")
}

// A stretch is what one pair reads or writes; reading that ends in a deletion deletes.
type stretch struct {
	place
	at      string // the pair's pointer
	pair    int
	deletes bool
}

// overlaps judges the pairs against each other and each against itself.
func (c *checker) overlaps() {
	var sources, destinations []stretch
	from, to := endpointOf(c.plan.Accounts.Source), endpointOf(c.plan.Accounts.Destination)
	for i, p := range c.plan.Buckets {
		at := item("/buckets", i)
		if p.Source == "" || p.Destination == "" || !c.ok(at, at+"/source", at+"/destination", at+"/prefix", at+"/to_prefix") {
			continue
		}
		s := stretch{place{from, p.Source, p.Prefix}, at, i, p.Cleanup.SourceObjects == AfterVerify}
		d := stretch{place{to, p.Destination, p.ToPrefix}, at, i, false}
		c.itself(s, d)
		sources, destinations = append(sources, s), append(destinations, d)
	}
	for i := range destinations {
		c.against(i, sources, destinations)
	}
	c.confirmations(sources, destinations)
}

// confirmations refuses a plan in which one --confirm would open deletions in two buckets: of one name, at two addresses or partitions.
func (c *checker) confirmations(sources, destinations []stretch) {
	for _, s := range sources {
		for _, d := range destinations {
			other := c.plan.Buckets[d.pair]
			if c.enough() || !s.deletes || s.bucket != d.bucket || s.endpoint == d.endpoint ||
				!other.Copy.DeleteExtra || other.Cleanup.SourceObjects == AfterVerify {
				continue
			}
			c.wrong(d.at+"/destination", dotted(d.at)+": --confirm="+s.bucket+" would delete in two buckets of that name: objects of the source of "+
				dotted(s.at)+", and what only this destination has", "split the pairs into plans of their own")
		}
	}
}

func (c *checker) itself(s, d stretch) {
	a, b := c.plan.Accounts.Source, c.plan.Accounts.Destination
	switch {
	case s.place == d.place:
		c.wrong(d.at+"/destination", dotted(d.at)+": source and destination are the same, "+c.quote(d.String()), "")
	case s.overlaps(d.place):
		c.wrong(d.at+"/destination", dotted(d.at)+": source "+c.quote(s.String())+" and destination "+c.quote(d.String())+" overlap",
			"a run would copy its own copies")
	case s.endpoint == "aws" && s.endpoint == d.endpoint && s.bucket == d.bucket && a.ID != b.ID && isAccountID(a.ID) && isAccountID(b.ID):
		c.wrong(d.at+"/destination", dotted(d.at)+": the bucket "+c.quote(s.bucket)+" cannot belong to both accounts",
			"a bucket's name is unique in all of AWS")
	}
}

// against compares the i-th pair with those before it and, where something is
// deleted or read while it is written, with all.
func (c *checker) against(i int, sources, destinations []stretch) {
	s, d := sources[i], destinations[i]
	for j := range destinations {
		if c.enough() || j == i {
			continue
		}
		other := dotted(destinations[j].at)
		if j < i && d.overlaps(destinations[j].place) {
			c.wrong(d.at+"/destination", dotted(d.at)+": destination "+c.quote(d.String())+" overlaps the destination of "+other,
				"give each a to_prefix of its own")
			break
		}
		switch {
		case s.deletes && s.overlaps(sources[j].place) && (j < i || !sources[j].deletes):
			c.wrong(s.at+"/source", dotted(s.at)+": source "+c.quote(s.String())+" is to be deleted, and "+other+" reads it too",
				"keep source_objects here, or split the pairs into plans of their own")
		case s.deletes && s.overlaps(destinations[j].place):
			c.wrong(s.at+"/source", dotted(s.at)+": source "+c.quote(s.String())+" is to be deleted, and "+other+" writes there",
				"")
		case s.overlaps(destinations[j].place):
			c.warn(s.at+"/source", dotted(s.at)+": source "+c.quote(s.String())+" is written by "+other+" at the same time",
				"pairs run side by side; what is written too late is not copied")
		}
	}
}
