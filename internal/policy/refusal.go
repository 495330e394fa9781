package policy

import "strings"

// LegEndpoint is the policy of a VPC endpoint. Evaluate does not know it; refusals name it.
const LegEndpoint Leg = "VPC endpoint policy"

// A Refusal is what AWS's words for a denied request tell. See "Troubleshoot access denied error messages" in the IAM guide.
type Refusal struct {
	Who, Action, Resource string
	// Leg is the kind of policy that denies, or that does not allow; "" where AWS does not say, as across accounts.
	Leg    Leg
	Reason Reason // ExplicitDeny or ImplicitDeny; "" where AWS does not say
}

// ParseRefusal reads
//
//	User: ARN is not authorized to perform: ACTION on resource: ARN because no identity-based policy allows the ACTION action
//	User: ARN is not authorized to perform: ACTION on resource: ARN with an explicit deny in a resource-based policy
//
// out of any text, of which it may be a part, shortened even. False: the text says nothing of the kind.
func ParseRefusal(text string) (Refusal, bool) {
	_, rest, found := strings.Cut(text, "is not authorized to perform: ")
	if !found {
		return Refusal{}, false
	}
	var r Refusal
	if _, who, ok := strings.Cut(text, "User: "); ok {
		r.Who, _, _ = strings.Cut(who, " ")
	}
	r.Action, rest, _ = strings.Cut(rest, " ")
	r.Action = strings.TrimRight(r.Action, ".,")
	if _, resource, ok := strings.Cut(rest, "on resource: "); ok {
		r.Resource, _, _ = strings.Cut(strings.TrimPrefix(resource, `"`), " ")
		if r.Resource = strings.Trim(r.Resource, `".,`); !strings.HasPrefix(r.Resource, "arn:") {
			r.Resource = "" // IAM says "policy NAME", too
		}
	}
	switch {
	case strings.Contains(rest, "explicit deny in a"):
		_, rest, _ = strings.Cut(rest, "explicit deny in a")
		r.Reason = ExplicitDeny
	case strings.Contains(rest, "because no "):
		_, rest, _ = strings.Cut(rest, "because no ")
		r.Reason = ImplicitDeny
	default:
		return r, true
	}
	r.Leg = legIn(rest)
	return r, true
}

// legIn is the kind of policy that is named first.
func legIn(text string) Leg {
	best, at := Leg(""), len(text)
	for words, leg := range map[string]Leg{
		"identity-based polic": LegIdentity, "resource-based polic": LegResource, "permissions boundary": LegBoundary, "permissions boundaries": LegBoundary,
		"session polic": LegSession, "service control polic": LegSCP, "resource control polic": LegRCP, "VPC endpoint polic": LegEndpoint,
	} {
		if i := strings.Index(text, words); i >= 0 && i < at {
			best, at = leg, i
		}
	}
	return best
}

// String says which rule decided, as far as AWS told.
func (r Refusal) String() string {
	switch {
	case r.Leg == "":
		return "AWS does not say which policy decides"
	case r.Reason == ExplicitDeny:
		return "an explicit deny in a " + string(r.Leg)
	}
	return "no " + string(r.Leg) + " allows it"
}
