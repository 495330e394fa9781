package null

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestKeysAscendAndAreFoundAgain(t *testing.T) {
	for _, shape := range Shapes() {
		for _, n := range []int{1, 999, 30_000} {
			s, err := NewNamespace(shape, n, Sizes{})
			if err != nil {
				t.Fatal(err)
			}
			last := ""
			for i := range s.Len() {
				key := s.Key(i)
				if key <= last {
					t.Fatalf("%s: key %d of %d is %q, behind %q", shape, i, n, key, last)
				}
				if !utf8.ValidString(key) || len(key) > maxKey {
					t.Fatalf("%s: key %q is not legal", shape, key)
				}
				if i%97 == 0 && (s.Find([]byte(key)) != i || s.Find([]byte(key+"\x00")) != -1) {
					t.Fatalf("%s: key %q is not found at %d alone", shape, key, i)
				}
				last = key
			}
		}
	}
}

func TestNearlyAllKeysAreHot(t *testing.T) {
	s, err := NewNamespace(Hot, 10_000, Sizes{})
	if err != nil {
		t.Fatal(err)
	}
	hot := 0
	for i := range s.Len() {
		if strings.HasPrefix(s.Key(i), "events/") {
			hot++
		}
	}
	if hot != 9900 {
		t.Errorf("%d of 10,000 keys are below the hot prefix", hot)
	}
}

func TestLargeObjectsAreRare(t *testing.T) {
	s, err := NewNamespace(Hex, 1000, Sizes{Small: 1, Large: 1 << 33, LargeEvery: 100})
	if err != nil {
		t.Fatal(err)
	}
	large := 0
	for i := range s.Len() {
		if s.Size(i) == 1<<33 {
			large++
		}
	}
	if large != 10 {
		t.Errorf("%d of 1,000 objects are large, not 10", large)
	}
}
