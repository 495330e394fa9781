package plan

import (
	"math"
	"slices"
)

// estimate judges what the estimate is made with: prices of another currency do not mix with the list's.
func (c *checker) estimate() {
	const at = "/estimate"
	e := c.plan.Estimate
	if e == nil || !c.ok(at) {
		return
	}
	if from := at + "/currency"; e.Currency != "" && e.Currency != "USD" && c.ok(from, at+"/prices") && !e.Prices.Any() {
		c.warn(from, "estimate.currency is "+c.quote(e.Currency)+", and the list prices are in USD: nothing has a price", "give estimate.prices in "+e.Currency)
	}
	if from := at + "/prices_from"; e.PricesFrom != "" && c.ok(from, at+"/prices") && !e.Prices.Any() {
		c.warn(from, "estimate.prices_from says where prices come from, and there are none", "give estimate.prices")
	}
	for _, pointer := range e.Prices.absurd() {
		if p := at + "/prices/" + pointer; c.has(p) && c.ok(p) {
			c.wrong(p, dotted(p)+" is no price", "a price is a number below 1,000,000")
		}
	}
}

// Any tells whether there is a price.
func (p Prices) Any() bool {
	return len(p.Copy)+len(p.Storage)+len(p.Retrieval)+len(p.Restore) > 0 ||
		slices.ContainsFunc([]*float64{p.List, p.Get, p.KMS, p.Transfer, p.Internet}, func(x *float64) bool { return x != nil })
}

// absurd are pointers to the prices that would make nonsense of a sum.
func (p Prices) absurd() []string {
	var all []string
	bad := func(x float64) bool { return math.IsNaN(x) || math.IsInf(x, 0) || x < 0 || x >= 1e6 }
	for name, m := range map[string]map[string]float64{"copy": p.Copy, "storage": p.Storage, "retrieval": p.Retrieval, "restore": p.Restore} {
		for class, x := range m {
			if bad(x) {
				all = append(all, name+"/"+class)
			}
		}
	}
	for name, x := range map[string]*float64{"list": p.List, "get": p.Get, "kms": p.KMS, "transfer": p.Transfer, "internet": p.Internet} {
		if x != nil && bad(*x) {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}
