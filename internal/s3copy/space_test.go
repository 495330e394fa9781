package s3copy

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// space is a bucket that lists given keys and copies at no cost.
type space struct {
	*bucket
	keys   []string // in order
	list   time.Duration
	copy   time.Duration
	listed atomic.Int64
	copied atomic.Int64
}

func newSpace(keys []string) *space {
	keys = slices.Clone(keys)
	slices.Sort(keys)
	return &space{bucket: newBucket(nil), keys: slices.Compact(keys)}
}

func (s *space) ListPage(_ context.Context, r PageRequest, buf []Object) (Page, error) {
	s.listed.Add(1)
	time.Sleep(s.list)
	if legalStart(r.After) != r.After {
		return Page{}, fmt.Errorf("illegal start-after %q", r.After)
	}
	from := sort.SearchStrings(s.keys, r.Prefix)
	if r.After >= r.Prefix {
		from = sort.Search(len(s.keys), func(i int) bool { return s.keys[i] > r.After })
	}
	if r.Token != "" {
		from, _ = strconv.Atoi(r.Token)
	}
	to := min(from+1000, len(s.keys))
	for _, key := range s.keys[from:to] {
		buf = append(buf, Object{Key: key, Size: 1, ETag: md5A, Modified: time.Unix(1, 0)})
	}
	return Page{Objects: buf, Token: strconv.Itoa(to), More: to < len(s.keys)}, nil
}

func (s *space) CopyObject(context.Context, CopyRequest) (Copied, error) {
	time.Sleep(s.copy)
	s.copied.Add(1)
	return Copied{ETag: md5A}, nil
}

// shapes are key spaces as they occur, of about n keys each.
func shapes(n int) map[string][]string {
	dice := rand.New(rand.NewPCG(1, 2))
	make := func(key func(i int) string) []string {
		keys := make([]string, n)
		for i := range keys {
			keys[i] = key(i)
		}
		return keys
	}
	hex := func() string { return fmt.Sprintf("%016x%016x", dice.Uint64(), dice.Uint64()) }
	base62 := func(n int) string {
		var b strings.Builder
		for range n {
			b.WriteByte("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"[dice.IntN(62)])
		}
		return b.String()
	}
	day := func(i, per int) string {
		return time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, i/per).Format("2006/01/02")
	}
	runes := []rune("äöüßéèñ日本語漢字かなカナ한국어АБВГДЕабвгд😀🚀🎉abcdef0123")
	return map[string][]string{
		"hex":           make(func(int) string { return hex() }),
		"hex under":     make(func(int) string { return "data/objects/" + hex()[:2] + "/" + hex() }),
		"base62":        make(func(int) string { return "u/" + base62(20) }),
		"counter":       make(func(i int) string { return fmt.Sprintf("export/2024/table/part-%09d.parquet", i) }),
		"plain numbers": make(func(i int) string { return fmt.Sprintf("img/%d.jpg", i) }),
		"dated": make(func(i int) string {
			return fmt.Sprintf("logs/%s/host-%c/%06d.gz", day(i, n/366+1), 'a'+i%5, i/5%(n/1830+1))
		}),
		"dated, long": make(func(i int) string {
			return fmt.Sprintf("tenant=42/logs/app=web/%s/%02d/%s.json.gz", day(i, n/60+1), i%24, hex()[:12])
		}),
		"one hot": make(func(i int) string {
			if i%100 == 0 {
				return fmt.Sprintf("%c/%s", 'a'+i/100%26, hex()[:8])
			}
			return "hot/stuff/" + hex()
		}),
		"one hot counter": make(func(i int) string {
			if i%100 == 0 {
				return fmt.Sprintf("team-%c/file-%d", 'a'+i/100%26, i)
			}
			return fmt.Sprintf("mmm/hot/%08d", i)
		}),
		"unicode": make(func(int) string {
			var b strings.Builder
			for range 6 + dice.IntN(6) {
				b.WriteRune(runes[dice.IntN(len(runes))])
			}
			return b.String() + strconv.Itoa(dice.IntN(1000))
		}),
		"words": make(func(i int) string {
			words := []string{"alpha", "beta", "gamma", "delta", "photos", "backup", "video", "report", "invoice", "x"}
			w := func() string { return words[dice.IntN(len(words))] }
			return fmt.Sprintf("%s/%s-%d/%s %d.txt", w(), w(), dice.IntN(50), w(), i)
		}),
		"two levels": make(func(i int) string { return fmt.Sprintf("%c%c/%s", 'a'+i%3, 'x'+i%2, hex()) }),
		"ten":        {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"},
		"none":       nil,
	}
}

func TestListingCostsLittleAtAnyShape(t *testing.T) {
	for name, keys := range shapes(200_000) {
		t.Run(name, func(t *testing.T) {
			for _, mode := range []string{"equal", "empty"} {
				synctest.Test(t, func(t *testing.T) {
					src, dst := newSpace(keys), newSpace(keys)
					if mode == "empty" {
						dst = newSpace(nil)
					}
					src.list, dst.list = 80*time.Millisecond, 80*time.Millisecond
					_, _, job := pair()
					job.Mode, job.Journal, job.Source, job.Destination = Scan, nil, src, dst
					begun := time.Now()
					s := run1(t, Limits{}, job)
					n := len(src.keys)
					if int(s.Tally.Listed.Objects) != n || int(s.Tally.New.Objects+s.Tally.Same.Objects) != n {
						t.Errorf("got %+v", s.Tally)
					}
					per := func(s *space) float64 { return float64(s.listed.Load()) / float64(max(1, (n+999)/1000)) }
					t.Logf("%s: %d keys, LIST a thousand: %.3f, %.3f; %v", mode, n, per(src), per(dst), time.Since(begun))
					if per(src) > 1.10 || per(dst) > 1.10 {
						t.Errorf("too many requests")
					}
				})
			}
		})
	}
}
