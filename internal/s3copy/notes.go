package s3copy

import (
	"cmp"
	"slices"
	"strings"
	"sync"
)

// notes gather what a summary shows beside the counts.
type notes struct {
	mu         sync.Mutex
	most       int
	samples    map[string][]Sample // by verdict, those with the smallest keys, in order
	waiting    int64
	thawing    Count
	archived   map[string]*Count
	todo       map[string]*Work // of a scan, by storage class of the source
	changed    map[string]*Count
	unreadable map[string]*Count
	locks      Locks
	census
}

// sample keeps a key where it is one of the smallest of its verdict.
func (n *notes) sample(verdict, key string, size Bytes, reason string) {
	if n.most == 0 {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	s := n.samples[verdict]
	if len(s) == n.most && key >= s[n.most-1].Key {
		return
	}
	at, found := slices.BinarySearchFunc(s, key, func(s Sample, key string) int { return strings.Compare(s.Key, key) })
	if found {
		return
	}
	s = slices.Insert(s, at, Sample{Key: key, Size: size, Reason: reason})
	n.samples[verdict] = s[:min(len(s), n.most)]
}

// add takes in what a merge has seen.
func (n *notes) add(c *census) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if c.largest.Key != "" {
		n.measure(c.largest)
	}
	n.longest = max(n.longest, c.longest)
	n.locks.Earlier.Plus(c.known)
	for class, more := range c.classes {
		n.class(class).Plus(*more)
	}
}

// A census is what is noted of every object of the source's listing.
type census struct {
	largest Sample // the one with the smallest key, of those of one size
	longest int    // key
	classes map[string]*Count
	known   Count  // equal objects whose locks an earlier run has compared
	last    string // class
	count   *Count // of the last class
}

// listed notes an object.
func (c *census) listed(o *Object) {
	if o.Chain != nil {
		for i := range o.Chain.Versions {
			if v := &o.Chain.Versions[i]; !v.Marker {
				c.listed(&v.Object)
			}
		}
		return
	}
	if o.Size >= c.largest.Size {
		c.measure(Sample{Key: o.Key, Size: o.Size})
	}
	class := cmp.Or(o.StorageClass, standardClass)
	if class != c.last {
		c.last, c.count = class, c.class(class)
	}
	c.count.Add(o.Size)
}

func (c *census) measure(s Sample) {
	if l := c.largest; l.Key == "" || s.Size > l.Size || s.Size == l.Size && s.Key < l.Key {
		c.largest = s
	}
}

func (c *census) class(name string) *Count {
	if c.classes == nil {
		c.classes = make(map[string]*Count)
	}
	n := c.classes[name]
	if n == nil {
		n = new(Count)
		c.classes[name] = n
	}
	return n
}

const standardClass = "STANDARD"
