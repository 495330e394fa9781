package compile

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"xplan/plan"
)

// Money is an amount in millionths of its currency's unit; in JSON a decimal number of units.
type Money int64

// MarshalJSON writes units: 6.0075.
func (m Money) MarshalJSON() ([]byte, error) {
	text := fmt.Sprintf("%d.%06d", m/1e6, m%1e6) // never below zero
	return []byte(strings.TrimSuffix(strings.TrimRight(text, "0"), ".")), nil
}

// UnmarshalJSON reads units.
func (m *Money) UnmarshalJSON(data []byte) error {
	f, err := strconv.ParseFloat(string(bytes.TrimSpace(data)), 64)
	if err != nil {
		return fmt.Errorf("read an amount: %w", err)
	}
	*m = money(f)
	return nil
}

// money rounds, but nothing that costs to nothing.
func money(units float64) Money {
	if m := Money(math.Round(units * 1e6)); m != 0 || units <= 0 {
		return m
	}
	return 1
}

// A Charge is one kind of cost: a number of requests, or bytes, at one price.
type Charge struct {
	What     string `json:"what"`               // the kinds below
	Class    string `json:"class,omitempty"`    // storage class, where the price is by class
	Requests int64  `json:"requests,omitempty"` // of request charges
	Bytes    int64  `json:"bytes,omitempty"`    // of the others, as they are billed
	Amount   Money  `json:"amount"`
	Unpriced bool   `json:"unpriced,omitempty"` // there is no price: Amount is 0 and says nothing
}

// The kinds of charges.
const (
	ChargeCopy      = "copy"      // COPY and PUT requests, parts included
	ChargeList      = "list"      // LIST requests
	ChargeGet       = "get"       // GET and HEAD requests
	ChargeKMS       = "kms"       // requests to KMS
	ChargeRetrieval = "retrieval" // bytes read from a class that bills reading
	ChargeRestore   = "restore"   // requests for a restore from an archive
	ChargeTransfer  = "transfer"  // bytes from one region to another; the source's account pays
	ChargeInternet  = "internet"  // bytes out of AWS; the source's account pays
	ChargeStorage   = "storage"   // bytes at the destination, a month
)

// An Estimate is what a copy will cost and how long it will take, as far as that can be told before. Each pair's
// copy step has one; the program's sums them up, and says what they assume.
type Estimate struct {
	Currency     string   `json:"currency"`
	Prices       string   `json:"prices"` // where they come from, in words
	Once         []Charge `json:"once"`
	Monthly      []Charge `json:"monthly"`
	TotalOnce    Money    `json:"total_once"`
	TotalMonthly Money    `json:"total_monthly"`

	Seconds          int64 `json:"seconds"`
	ObjectsPerSecond int64 `json:"objects_per_second"` // of a pair
	BytesPerSecond   int64 `json:"bytes_per_second"`   // of a pair; the slowest pair's where they differ

	// The program's only.
	Uncounted []string `json:"uncounted,omitempty"` // pair IDs of which nobody knows what there is to copy: no part of the sums
	Assumes   []string `json:"assumes,omitempty"`   // sentences
}

// Unpriced are the kinds of charges that have no price, with their classes.
func (e *Estimate) Unpriced() []string {
	var all []string
	for _, c := range slices.Concat(e.Once, e.Monthly) {
		if c.Unpriced {
			all = append(all, strings.TrimSpace(c.What+" "+c.Class))
		}
	}
	return all
}

const (
	gigabyte         = 1 << 30 // as AWS bills them
	objectsPerSecond = 400
	copiedPerSecond  = 4000 * 1e6 // where the servers copy by themselves
	streamPerSecond  = 100 * 1e6  // where the bytes come through this machine
	pageKeys         = 1000
	moreLists        = 1.1 // listings are split, which costs some pages
	smallestBilled   = 128 << 10
)

// pairEstimate estimates what a pair's copy costs once and a month, and how long it takes. nil: nobody knows what
// there is to copy.
func (b *builder) pairEstimate(br branch) *Estimate {
	f := br.facts
	if !f.Known || f.Partial || !br.copying {
		return nil
	}
	settings := plan.Estimate{}
	if b.p.Estimate != nil {
		settings = *b.p.Estimate
	}
	prices := restored(pricesOf(settings), settings.Prices, settings.Currency, br.pair.Copy.Restore.Tier)
	e := &estimator{p: b.p, br: br, prices: prices, work: f.Work}
	if len(e.work) == 0 { // the world was observed by somebody who does not tell
		e.work = map[string]Work{"STANDARD": {Objects: f.New.Objects + f.Changed.Objects, Bytes: f.New.Bytes + f.Changed.Bytes}}
	}
	e.requests()
	e.traffic()
	e.storage()
	return e.sum(settings)
}

// An estimator gathers the charges of one pair.
type estimator struct {
	p             *plan.Plan
	br            branch
	prices        plan.Prices
	work          map[string]Work
	once, monthly []Charge
}

func (e *estimator) aws(side plan.Side) bool { return e.p.Accounts.Of(side).IsAWS() }

// classThere is the class that an object of the source's gets.
func (e *estimator) classThere(class string) string {
	if want := e.br.pair.Copy.StorageClass; want != "" && want != "preserve" {
		return want
	}
	return class
}

// each calls f with what is to be written, class by class of the source.
func (e *estimator) each(f func(class string, w Work)) {
	for _, class := range slices.Sorted(maps.Keys(e.work)) {
		f(class, e.work[class])
	}
}

func (e *estimator) total() Work {
	var t Work
	e.each(func(_ string, w Work) {
		t.Objects, t.Bytes, t.ByParts, t.Parts = t.Objects+w.Objects, t.Bytes+w.Bytes, t.ByParts+w.ByParts, t.Parts+w.Parts
	})
	return t
}

// requests are those to S3 and KMS. Retries are none of them.
func (e *estimator) requests() {
	t := e.total()
	if e.aws(plan.Destination) {
		e.each(func(class string, w Work) {
			there := e.classThere(class)
			// A copy by parts is CreateMultipartUpload, a request a part, and CompleteMultipartUpload.
			e.request(ChargeCopy, there, w.Objects+w.ByParts+w.Parts, e.prices.Copy, 1000)
		})
	}
	_, sourceKMS := e.br.key(plan.Source)
	_, destKMS := e.br.key(plan.Destination)
	if e.aws(plan.Source) || e.aws(plan.Destination) {
		e.priced(ChargeList, e.lists(), e.prices.List, 1000)
		e.priced(ChargeGet, e.reads(t, sourceKMS || destKMS), e.prices.Get, 1000)
	}
	var kms int64
	if sourceKMS && e.aws(plan.Source) && !e.br.src.Encryption.BucketKey {
		kms += t.Objects + t.Parts // one Decrypt a request that reads
	}
	if destKMS && e.aws(plan.Destination) && !e.bucketKey() {
		kms += t.Objects + t.Parts // one GenerateDataKey an object; parts decrypt it
	}
	e.priced(ChargeKMS, kms, e.prices.KMS, 10_000)
}

func (e *estimator) bucketKey() bool {
	if e.br.dst.Exists {
		return e.br.dst.Encryption.BucketKey
	}
	return e.br.settings.Encryption.BucketKey
}

// lists counts the pages of both sides, each time that they are listed.
func (e *estimator) lists() int64 {
	c := e.br.pair.Copy
	passes := int64(1)
	for _, again := range []bool{c.SecondPass, c.DeleteExtra, e.br.deletesObjects()} {
		if again {
			passes++
		}
	}
	if e.br.cutting { // at most
		passes += int64(e.p.CutOver.Passes) + 1
		if e.p.Freezes() {
			passes++
		}
	}
	pages := func(keys int64) int64 { return max(1, int64(math.Ceil(float64(keys)/pageKeys*moreLists))) }
	var n int64
	if e.aws(plan.Source) {
		n += pages(e.listed())
	}
	if e.aws(plan.Destination) {
		n += pages(e.there())
	}
	return n * passes
}

// listed is how many entries the source's listing has: keys, or their versions and delete markers.
func (e *estimator) listed() int64 {
	if v := e.br.facts.Versions; v != nil {
		return v.Versions.Objects + v.Markers
	}
	return e.br.facts.Listed.Objects
}

// tagged is how many objects, or versions, may have tags.
func (e *estimator) tagged() int64 {
	if v := e.br.facts.Versions; v != nil {
		return v.Versions.Objects
	}
	return e.br.facts.Listed.Objects
}

// there is how many the destination's has.
func (e *estimator) there() int64 {
	f := e.br.facts
	if v := f.Versions; v != nil {
		return e.listed() - v.ToCopy.Objects - v.MarkersToMake + f.Extra.Objects
	}
	return f.Same.Objects + f.Changed.Objects + f.Extra.Objects
}

// reads counts HEADs and GETs: comparing, copies by parts, and proving.
func (e *estimator) reads(t Work, kms bool) int64 {
	f := e.br.facts
	n := 2 * (f.SameBy["checksum"].Objects + f.SameBy["size_only"].Objects) // both sides were asked
	n += 3 * t.ByParts                                                      // the object, its first and its last part
	if e.br.pair.Copy.Tags {
		n += t.ByParts // GetObjectTagging; a copy by one request takes them along
	}
	switch {
	case e.br.pair.Verify.Level == plan.LevelBytes:
		n += 2 * t.Objects
	case e.br.pair.Verify.Level == plan.LevelChecksum && kms:
		n += t.Objects // ETags do not compare: the source's checksum is asked for
	}
	if streaming(e.p.Accounts) {
		n += t.Objects
	}
	if e.br.locks() { // of each copy, the source's lock before it and its own after it; of equal objects, both
		n += 2*t.Objects + 2*f.Locks.Compared.Objects
	}
	if e.br.deletesObjects() {
		if kms {
			n += 2 * f.Listed.Objects
		}
		if e.br.pair.Copy.Tags {
			n += 2 * e.tagged() // of both sides, once all is proven
		}
	}
	return n
}

// traffic are the bytes that somebody bills for moving or reading them.
func (e *estimator) traffic() {
	if !e.aws(plan.Source) {
		return
	}
	e.each(func(class string, w Work) {
		switch class {
		case "GLACIER", "DEEP_ARCHIVE":
			e.request(ChargeRestore, class, w.Frozen.Objects-w.Thawing.Objects, e.prices.Restore, 1000)
			e.data(ChargeRetrieval, class, w.Frozen.Bytes-w.Thawing.Bytes, e.prices.Retrieval)
		case "STANDARD_IA", "ONEZONE_IA", "GLACIER_IR":
			e.data(ChargeRetrieval, class, w.Bytes, e.prices.Retrieval)
		}
	})
	bytes := e.total().Bytes
	switch {
	case streaming(e.p.Accounts):
		e.moved(ChargeInternet, bytes, e.prices.Internet)
	case e.br.srcRegion != e.br.dstRegion && e.br.srcRegion != "" && e.br.dstRegion != "":
		e.moved(ChargeTransfer, bytes, e.prices.Transfer)
	}
}

// storage is what the copied objects cost at the destination, a month. Some classes bill small objects as larger
// ones, and archives add 32 KiB of their own and 8 KiB of STANDARD to each object (S3 user guide, storage classes).
func (e *estimator) storage() {
	if !e.aws(plan.Destination) {
		return
	}
	billed := map[string]int64{}
	e.each(func(class string, w Work) {
		there := e.classThere(class)
		billed[there] += w.Bytes
		switch there {
		case "STANDARD_IA", "ONEZONE_IA", "GLACIER_IR":
			billed[there] += w.Small.Objects*smallestBilled - w.Small.Bytes
		case "GLACIER", "DEEP_ARCHIVE":
			billed[there] += w.Objects * 32 << 10
			billed["STANDARD"] += w.Objects * 8 << 10
		}
	})
	for _, class := range slices.Sorted(maps.Keys(billed)) {
		c := Charge{What: ChargeStorage, Class: class, Bytes: billed[class]}
		price, ok := e.prices.Storage[class]
		c.set(float64(c.Bytes)/gigabyte, price, ok)
		e.monthly = append(e.monthly, c)
	}
}

func (c *Charge) set(quantity, price float64, known bool) {
	c.Amount, c.Unpriced = money(quantity*price), !known
}

func (e *estimator) request(what, class string, n int64, prices map[string]float64, per float64) {
	if n == 0 {
		return
	}
	c := Charge{What: what, Class: class, Requests: n}
	price, ok := prices[class]
	c.set(float64(n)/per, price, ok)
	e.once = append(e.once, c)
}

func (e *estimator) data(what, class string, n int64, prices map[string]float64) {
	if n == 0 {
		return
	}
	c := Charge{What: what, Class: class, Bytes: n}
	price, ok := prices[class]
	c.set(float64(n)/gigabyte, price, ok)
	e.once = append(e.once, c)
}

func (e *estimator) priced(what string, n int64, price *float64, per float64) {
	if n == 0 {
		return
	}
	c := Charge{What: what, Requests: n}
	if price == nil {
		c.Unpriced = true
	} else {
		c.set(float64(n)/per, *price, true)
	}
	e.once = append(e.once, c)
}

func (e *estimator) moved(what string, n int64, price *float64) {
	if n == 0 {
		return
	}
	c := Charge{What: what, Bytes: n}
	if price == nil {
		c.Unpriced = true
	} else {
		c.set(float64(n)/gigabyte, *price, true)
	}
	e.once = append(e.once, c)
}

// sum adds the pair's charges up, and estimates its time.
func (e *estimator) sum(settings plan.Estimate) *Estimate {
	out := &Estimate{Currency: first(settings.Currency, listCurrency), Prices: pricesText(settings), Once: e.once, Monthly: e.monthly}
	out.settle()
	out.ObjectsPerSecond = int64(cmp.Or(settings.ObjectsPerSecond, objectsPerSecond))
	out.BytesPerSecond = int64(settings.MegabytesPerSecond) * 1e6
	if out.BytesPerSecond == 0 {
		out.BytesPerSecond = copiedPerSecond
		if streaming(e.p.Accounts) {
			out.BytesPerSecond = streamPerSecond
		}
	}
	t := e.total()
	seconds := max(float64(t.Objects)/float64(out.ObjectsPerSecond), float64(t.Bytes)/float64(out.BytesPerSecond))
	if e.br.pair.Verify.Level == plan.LevelBytes {
		seconds += 2 * float64(t.Bytes) / streamPerSecond
	}
	out.Seconds = int64(math.Ceil(seconds))
	return out
}

// settle merges charges of one kind and class, in a fixed order, and adds them up.
func (e *Estimate) settle() {
	e.Once, e.Monthly = merged(e.Once), merged(e.Monthly)
	e.TotalOnce, e.TotalMonthly = 0, 0
	for _, c := range e.Once {
		e.TotalOnce += c.Amount
	}
	for _, c := range e.Monthly {
		e.TotalMonthly += c.Amount
	}
}

func merged(charges []Charge) []Charge {
	all := []Charge{}
	for _, c := range charges {
		at := slices.IndexFunc(all, func(h Charge) bool { return h.What == c.What && h.Class == c.Class })
		if at < 0 {
			all = append(all, c)
			continue
		}
		h := &all[at]
		h.Requests, h.Bytes, h.Amount = h.Requests+c.Requests, h.Bytes+c.Bytes, h.Amount+c.Amount
	}
	order := []string{ChargeCopy, ChargeList, ChargeGet, ChargeKMS, ChargeRestore, ChargeRetrieval, ChargeTransfer, ChargeInternet, ChargeStorage}
	slices.SortStableFunc(all, func(a, b Charge) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.What), slices.Index(order, b.What)), cmp.Compare(a.Class, b.Class))
	})
	return all
}
