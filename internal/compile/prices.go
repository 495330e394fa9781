package compile

import (
	"maps"

	"xplan/plan"
)

// The list prices are those of us-east-1, from the AWS pages "Amazon S3 pricing" (storage, requests and
// retrievals; data transfer) and "AWS Key Management Service pricing". Storage is the first tier's.
const (
	pricesRegion = "us-east-1"
	pricesNoted  = "2026-11"
	listCurrency = "USD"
)

// listPrices are the list prices. What is free stands there as zero: what does not stand there has no price.
func listPrices() plan.Prices {
	list, get, kms, transfer, internet := 0.005, 0.0004, 0.03, 0.02, 0.09
	return plan.Prices{
		Copy: map[string]float64{
			"STANDARD": 0.005, "REDUCED_REDUNDANCY": 0.005, "INTELLIGENT_TIERING": 0.005, "STANDARD_IA": 0.01, "ONEZONE_IA": 0.01,
			"GLACIER_IR": 0.02, "GLACIER": 0.03, "DEEP_ARCHIVE": 0.05,
		},
		Storage: map[string]float64{
			"STANDARD": 0.023, "REDUCED_REDUNDANCY": 0.024, "INTELLIGENT_TIERING": 0.023, "STANDARD_IA": 0.0125, "ONEZONE_IA": 0.01,
			"GLACIER_IR": 0.004, "GLACIER": 0.0036, "DEEP_ARCHIVE": 0.00099,
		},
		Retrieval: map[string]float64{"STANDARD_IA": 0.01, "ONEZONE_IA": 0.01, "GLACIER_IR": 0.03, "GLACIER": 0.01, "DEEP_ARCHIVE": 0.02},
		Restore:   map[string]float64{"GLACIER": 0.05, "DEEP_ARCHIVE": 0.10},
		List:      &list, Get: &get, KMS: &kms, Transfer: &transfer, Internet: &internet,
	}
}

// pricesOf lays the plan's prices over the list's. Prices of two currencies do not mix.
func pricesOf(e plan.Estimate) plan.Prices {
	list := listPrices()
	if e.Currency != "" && e.Currency != listCurrency {
		list = plan.Prices{}
	}
	over := e.Prices
	return plan.Prices{
		Copy: laid(list.Copy, over.Copy), Storage: laid(list.Storage, over.Storage),
		Retrieval: laid(list.Retrieval, over.Retrieval), Restore: laid(list.Restore, over.Restore),
		List: or(over.List, list.List), Get: or(over.Get, list.Get), KMS: or(over.KMS, list.KMS),
		Transfer: or(over.Transfer, list.Transfer), Internet: or(over.Internet, list.Internet),
	}
}

func laid(under, over map[string]float64) map[string]float64 {
	all := maps.Clone(under)
	if all == nil {
		all = map[string]float64{}
	}
	maps.Copy(all, over)
	return all
}

func or(a, b *float64) *float64 {
	if a != nil {
		return a
	}
	return b
}

// pricesText says where the prices come from.
func pricesText(e plan.Estimate) string {
	list := pricesRegion + "'s list prices of " + pricesNoted
	own := first(e.PricesFrom, "the plan's prices")
	switch {
	case !e.Prices.Any() && (e.Currency == "" || e.Currency == listCurrency):
		return list
	case e.Currency != "" && e.Currency != listCurrency:
		return own
	default:
		return own + " over " + list
	}
}

// restored are the list prices of another tier than Standard: for what the plan says nothing of. Expedited is not offered for
// DEEP_ARCHIVE, and so has no price there.
func restored(p, said plan.Prices, currency, tier string) plan.Prices {
	var requests, bytes map[string]float64
	switch {
	case currency != "" && currency != listCurrency:
		return p
	case tier == "Bulk":
		requests, bytes = map[string]float64{"GLACIER": 0, "DEEP_ARCHIVE": 0.025}, map[string]float64{"GLACIER": 0, "DEEP_ARCHIVE": 0.0025}
	case tier == "Expedited":
		requests, bytes = map[string]float64{"GLACIER": 10}, map[string]float64{"GLACIER": 0.03}
		delete(p.Restore, "DEEP_ARCHIVE")
		delete(p.Retrieval, "DEEP_ARCHIVE")
	default:
		return p
	}
	p.Restore = laid(laid(p.Restore, requests), said.Restore)
	p.Retrieval = laid(laid(p.Retrieval, bytes), said.Retrieval)
	return p
}
