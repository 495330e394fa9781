package compile

import (
	"net/url"
	"reflect"
	"slices"
	"strings"

	"xplan/plan"
)

// A branch is a pair with what was observed about it.
type branch struct {
	pair                 plan.Pair
	id                   string
	src, dst             Bucket
	srcRegion, dstRegion string
	settings             plan.BucketSettings // of the destination, however many pairs share it
	facts                CopyFacts

	moved   bool // the source's bucket is gone, as the plan wants it after a verification
	copying bool // there is something to write, or nobody knows
	extra   bool // there may be something to delete at the destination only
	verify  bool // something waits for a verification
	cutting bool // deltas and a final pass follow the copy
	settled bool // the source stands still since all of it was verified: what differs was written at the destination
}

// active tells whether the pair needs the principal.
func (b branch) active() bool { return b.copying || b.extra || b.cutting }

// survey puts pairs and world together.
func survey(p *plan.Plan, w World) []branch {
	all := make([]branch, 0, len(p.Buckets))
	settings, gone := settingsOf(p), deletedBuckets(p)
	for _, pair := range p.Buckets {
		b := branch{pair: pair, id: pair.ID()}
		b.src = w.Buckets[BucketRef{plan.Source, pair.Source}]
		b.dst = w.Buckets[BucketRef{plan.Destination, pair.Destination}]
		b.settings = settings[pair.Destination].said
		b.settings.Versioning = b.settings.Versioning || settings[pair.Destination].versions
		b.srcRegion = first(b.src.Region, p.Accounts.Source.Region)
		b.dstRegion = first(b.dst.Region, b.settings.Region, p.Accounts.Destination.Region)
		if p.Accounts.Source.IsAWS() == p.Accounts.Destination.IsAWS() {
			b.dstRegion = first(b.dstRegion, b.srcRegion)
		}
		b.facts = w.Copies[b.id]
		b.settled = slices.Contains(w.Settled, pair.Source) && len(frozen(p, w, pair.Source).ours) > 0
		b.moved = !b.src.Exists && !b.src.Foreign && gone[pair.Source] && b.dst.Exists
		if b.moved {
			b.facts = CopyFacts{Known: true}
		}
		b.copying = b.facts.ToDo() && !b.moved
		b.extra = pair.Copy.DeleteExtra && !b.moved && (!b.facts.Known || b.facts.Partial || b.facts.Extra.Objects > 0)
		all = append(all, b)
	}
	return all
}

// agreed are the settings of a bucket that several pairs may speak about.
type agreed struct {
	said     plan.BucketSettings
	disagree bool
	versions bool // a pair copies all versions there
}

// settingsOf are what the pairs ask of each destination bucket: one may say it for all.
func settingsOf(p *plan.Plan) map[string]agreed {
	all := make(map[string]agreed, len(p.Buckets))
	for _, pair := range p.Buckets {
		a := all[pair.Destination]
		none := plan.BucketSettings{}
		switch {
		case reflect.DeepEqual(pair.Settings, none) || reflect.DeepEqual(pair.Settings, a.said):
		case reflect.DeepEqual(a.said, none):
			a.said = pair.Settings
		default:
			a.disagree = true
		}
		a.versions = a.versions || pair.Copy.AllVersions()
		all[pair.Destination] = a
	}
	return all
}

// deletedBuckets are the sources that the plan wants to be gone in the end.
func deletedBuckets(p *plan.Plan) map[string]bool {
	all := make(map[string]bool)
	for _, pair := range p.Buckets {
		if pair.Cleanup.SourceBucket == plan.AfterVerify {
			all[pair.Source] = true
		}
	}
	return all
}

// deletes tells whether the source's objects, or its bucket, are still to be deleted.
func (b branch) deletes() bool {
	if b.moved || !b.src.Exists {
		return false
	}
	return b.pair.Cleanup.SourceBucket == plan.AfterVerify || b.deletesObjects()
}

func (b branch) deletesObjects() bool {
	if b.moved || b.pair.Cleanup.SourceObjects != plan.AfterVerify {
		return false
	}
	return !b.facts.Known || b.facts.Partial || b.facts.Listed.Objects > 0
}

// proven tells whether what the scan found equal is verified as the plan asks.
func (b branch) proven() bool {
	if b.moved || (b.facts.Known && b.facts.Listed.Objects == 0) {
		return true
	}
	switch b.pair.Verify.Level {
	case plan.LevelSize:
		return true
	case plan.LevelBytes:
		return b.facts.SameBy["bytes"].Objects == b.facts.Same.Objects
	default:
		return b.facts.SameBy["size_only"].Objects == 0 || b.pair.Verify.Otherwise == "accept"
	}
}

// streaming tells whether the two servers cannot see each other, so that the bytes come through here.
func streaming(a plan.Accounts) bool { return server(a.Source) != server(a.Destination) }

// server names what answers for an account. AWS's own endpoints are all one.
func server(a plan.Account) string {
	if a.EndpointURL == "" {
		return "aws"
	}
	u, err := url.Parse(a.EndpointURL)
	if err != nil || u.Host == "" {
		return a.EndpointURL
	}
	host := strings.ToLower(u.Hostname())
	if a.IsAWS() && (strings.HasSuffix(host, ".amazonaws.com") || strings.HasSuffix(host, ".amazonaws.com.cn")) {
		return "aws"
	}
	return strings.ToLower(u.Host)
}

// first returns the first that is not empty.
func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// unique keeps the first of equals.
func unique(values []string) []string {
	seen := make(map[string]bool, len(values))
	var all []string
	for _, v := range values {
		if !seen[v] {
			seen[v] = true
			all = append(all, v)
		}
	}
	return all
}
