package compile

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xplan/plan"
)

// estimated compiles the sample with these facts, and gives the only pair's estimate and the program's.
func estimated(t *testing.T, f CopyFacts, change func(*plan.Plan, *World)) (pair, total *Estimate) {
	t.Helper()
	p, w := tommy(), fresh()
	w.Copies[onlyPair] = f
	if change != nil {
		change(p, &w)
	}
	prog, err := Compile(p, w)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range prog.Steps {
		if s.Kind == KindCopy {
			pair = s.Change.Estimate
		}
	}
	return pair, prog.Estimate
}

func allNew(objects, bytes int64) CopyFacts {
	return CopyFacts{
		Known: true, Listed: Count{objects, bytes}, New: Count{objects, bytes},
		Work: map[string]Work{"STANDARD": {Objects: objects, Bytes: bytes}},
	}
}

func charge(e *Estimate, what, class string) Charge {
	for _, c := range append(e.Once, e.Monthly...) {
		if c.What == what && c.Class == class {
			return c
		}
	}
	return Charge{}
}

func TestACopyIsEstimatedAtListPrices(t *testing.T) {
	e, total := estimated(t, allNew(1_200_000, 8<<40), nil)
	want := &Estimate{
		Currency: "USD", Prices: "us-east-1's list prices of 2026-11",
		Once: []Charge{
			{What: "copy", Class: "STANDARD", Requests: 1_200_000, Amount: 6_000_000},
			{What: "list", Requests: 1321, Amount: 6605},
		},
		Monthly:   []Charge{{What: "storage", Class: "STANDARD", Bytes: 8 << 40, Amount: 188_416_000}},
		TotalOnce: 6_006_605, TotalMonthly: 188_416_000,
		Seconds: 3000, ObjectsPerSecond: 400, BytesPerSecond: 4_000_000_000,
	}
	if d := cmp.Diff(want, e); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	if total.TotalOnce != e.TotalOnce || total.Seconds != e.Seconds || len(total.Assumes) == 0 {
		t.Errorf("in total %+v", total)
	}
}

func TestWhatCostsMoreIsInTheEstimate(t *testing.T) {
	gib := int64(1 << 30)
	for name, c := range map[string]struct {
		facts  CopyFacts
		change func(*plan.Plan, *World)
		want   Charge
	}{
		"parts are requests": {
			CopyFacts{Known: true, Listed: Count{1, 5 * gib}, New: Count{1, 5 * gib}, Work: map[string]Work{"STANDARD": {Objects: 1, Bytes: 5 * gib, ByParts: 1, Parts: 40}}},
			nil,
			Charge{What: "copy", Class: "STANDARD", Requests: 42, Amount: 210},
		},
		"reading Standard-IA is billed": {
			CopyFacts{Known: true, New: Count{1, gib}, Work: map[string]Work{"STANDARD_IA": {Objects: 1, Bytes: gib}}},
			nil,
			Charge{What: "retrieval", Class: "STANDARD_IA", Bytes: gib, Amount: 10_000},
		},
		"copies into Glacier Instant Retrieval cost more": {
			allNew(1000, gib), func(p *plan.Plan, _ *World) { p.Buckets[0].Copy.StorageClass = "GLACIER_IR" },
			Charge{What: "copy", Class: "GLACIER_IR", Requests: 1000, Amount: 20_000},
		},
		"small objects of Standard-IA are billed as 128 KiB": {
			CopyFacts{Known: true, New: Count{8192, 8192}, Work: map[string]Work{"STANDARD_IA": {Objects: 8192, Bytes: 8192, Small: Count{8192, 8192}}}},
			nil,
			Charge{What: "storage", Class: "STANDARD_IA", Bytes: gib, Amount: 12_500},
		},
		"archives add to each object": {
			allNew(32768, 0), func(p *plan.Plan, _ *World) { p.Buckets[0].Copy.StorageClass = "DEEP_ARCHIVE" },
			Charge{What: "storage", Class: "DEEP_ARCHIVE", Bytes: gib, Amount: 990},
		},
		"another region is a transfer": {
			allNew(1, 10*gib), func(_ *plan.Plan, w *World) {
				destination(*w, func(b *Bucket) { b.Exists, b.Region = true, "eu-west-1" })
			},
			Charge{What: "transfer", Bytes: 10 * gib, Amount: 200_000},
		},
		"a key of KMS is asked for each object": {
			allNew(10_000, gib), func(p *plan.Plan, _ *World) {
				p.Buckets[0].Settings.Encryption = plan.Encryption{Algorithm: "aws:kms", KMSKeyID: "arn:aws:kms:us-west-2:210987654321:key/k"}
			},
			Charge{What: "kms", Requests: 10_000, Amount: 30_000},
		},
		"a restore is a request, and a retrieval": {
			CopyFacts{Known: true, New: Count{1000, gib}, Work: map[string]Work{"GLACIER": {Objects: 1000, Bytes: gib, Frozen: Count{1000, gib}}}},
			func(p *plan.Plan, _ *World) { p.Buckets[0].Copy.Archived = "restore" },
			Charge{What: "restore", Class: "GLACIER", Requests: 1000, Amount: 50_000},
		},
		"proving by bytes reads both sides": {
			allNew(1000, gib), func(p *plan.Plan, _ *World) { p.Buckets[0].Verify.Level = plan.LevelBytes },
			Charge{What: "get", Requests: 2000, Amount: 800},
		},
	} {
		e, _ := estimated(t, c.facts, c.change)
		if got := charge(e, c.want.What, c.want.Class); got != c.want {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}

func TestARestoreIsPricedByItsTier(t *testing.T) {
	for _, c := range []struct {
		tier, class        string
		request, retrieval int64 // millionths of a dollar: 1,000 requests, and a GiB
	}{
		{"Standard", "GLACIER", 50_000, 10_000},
		{"Standard", "DEEP_ARCHIVE", 100_000, 20_000},
		{"Bulk", "GLACIER", 0, 0},
		{"Bulk", "DEEP_ARCHIVE", 25_000, 2_500},
		{"Expedited", "GLACIER", 10_000_000, 30_000},
	} {
		frozen := CopyFacts{Known: true, New: Count{1000, 1 << 30}, Work: map[string]Work{c.class: {Objects: 1000, Bytes: 1 << 30, Frozen: Count{1000, 1 << 30}}}}
		restoring := func(p *plan.Plan, _ *World) {
			p.Buckets[0].Copy.Archived, p.Buckets[0].Copy.Restore.Tier = "restore", c.tier
		}
		e, _ := estimated(t, frozen, restoring)
		restore, retrieval := charge(e, ChargeRestore, c.class), charge(e, ChargeRetrieval, c.class)
		if int64(restore.Amount) != c.request || int64(retrieval.Amount) != c.retrieval || restore.Requests != 1000 {
			t.Errorf("%s from %s: got %+v and %+v", c.tier, c.class, restore, retrieval)
		}
		e, _ = estimated(t, frozen, func(p *plan.Plan, w *World) {
			restoring(p, w)
			p.Estimate = &plan.Estimate{Prices: plan.Prices{Restore: map[string]float64{c.class: 1}}}
		})
		if got := charge(e, ChargeRestore, c.class); int64(got.Amount) != 1_000_000 {
			t.Errorf("%s from %s, at the plan's own price: got %+v", c.tier, c.class, got)
		}
		thawing := frozen
		thawing.New.Objects++
		thawing.Work = map[string]Work{c.class: {Objects: 1000, Bytes: 1 << 30, Frozen: Count{1000, 1 << 30}, Thawing: Count{1000, 1 << 30}}}
		e, _ = estimated(t, thawing, restoring)
		if got := charge(e, ChargeRestore, c.class); got.Requests != 0 {
			t.Errorf("%s from %s, paid for already: got %+v", c.tier, c.class, got)
		}
	}
}

func TestABucketKeySparesRequestsToKMS(t *testing.T) {
	e, _ := estimated(t, allNew(10_000, 1<<30), func(p *plan.Plan, _ *World) {
		p.Buckets[0].Settings.Encryption = plan.Encryption{Algorithm: "aws:kms", KMSKeyID: "arn:aws:kms:us-west-2:210987654321:key/k", BucketKey: true}
	})
	if got := charge(e, "kms", ""); got.Requests != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestBytesDecideTheTimeWhereObjectsAreLarge(t *testing.T) {
	if e, _ := estimated(t, allNew(10, 40e12), nil); e.Seconds != 10_000 {
		t.Errorf("got %d", e.Seconds)
	}
}

func TestAPlansPricesLieOverTheLists(t *testing.T) {
	free := 0.0
	own := &plan.Estimate{
		PricesFrom: "our contract", ObjectsPerSecond: 1000, MegabytesPerSecond: 100,
		Prices: plan.Prices{Copy: map[string]float64{"STANDARD": 0.004}, List: &free},
	}
	set := func(p *plan.Plan, _ *World) { p.Estimate = own }
	e, _ := estimated(t, allNew(1_000_000, 1<<40), set)
	if e.TotalOnce != 4_000_000 || e.Prices != "our contract over us-east-1's list prices of 2026-11" || e.TotalMonthly == 0 || e.Seconds != 10_996 {
		t.Errorf("got %+v", e)
	}
	own.Currency = "EUR"
	e, total := estimated(t, allNew(1_000_000, 1<<40), set)
	if e.Currency != "EUR" || e.TotalOnce != 4_000_000 || e.TotalMonthly != 0 || e.Prices != "our contract" {
		t.Errorf("got %+v", e)
	}
	if text := strings.Join(total.Assumes, "\n"); !strings.Contains(text, "without a price, and so not in the sums: storage STANDARD") || strings.Contains(text, "us-east-1") {
		t.Errorf("it assumes %s", text)
	}
}

func TestAClassThatHasNoPriceIsNamed(t *testing.T) {
	f := allNew(1, 1)
	f.Work = map[string]Work{"SNOW": {Objects: 1, Bytes: 1}}
	_, total := estimated(t, f, nil)
	if d := cmp.Diff([]string{"copy SNOW", "storage SNOW"}, total.Unpriced()); d != "" {
		t.Error(d)
	}
}

func TestWhatNobodyCountedHasNoEstimate(t *testing.T) {
	for name, f := range map[string]CopyFacts{"no scan": {}, "partial": {Known: true, Partial: true, New: Count{1, 1}}} {
		e, total := estimated(t, f, nil)
		if e != nil || total == nil || len(total.Uncounted) != 1 {
			t.Errorf("%s: got %+v, in total %+v", name, e, total)
		}
	}
	if e, total := estimated(t, same3(), nil); e != nil || total != nil {
		t.Errorf("nothing to copy: got %+v, in total %+v", e, total)
	}
}

func TestAnEstimateIsStoredAndReadAgain(t *testing.T) {
	_, total := estimated(t, allNew(1_200_001, 8<<40+1), nil)
	data, err := json.Marshal(total)
	if err != nil {
		t.Fatal(err)
	}
	var again Estimate
	if err := json.Unmarshal(data, &again); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(total, &again); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	for m, want := range map[Money]string{0: "0", 1: "0.000001", 6_006_605: "6.006605", 5_000_000: "5", 1_500_000: "1.5"} {
		if got, err := m.MarshalJSON(); err != nil || string(got) != want {
			t.Errorf("%d: %s, %v, want %s", int64(m), got, err, want)
		}
	}
}
