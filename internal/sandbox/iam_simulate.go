package sandbox

import (
	"slices"
	"strconv"
	"strings"

	"xplan/internal/policy"
)

func iamSimulateOperations() map[string]queryOperation {
	return map[string]queryOperation{
		"SimulatePrincipalPolicy": simulatePrincipalPolicy,
		"SimulateCustomPolicy":    simulateCustomPolicy,
	}
}

type matchedXML struct {
	SourcePolicyID   string `xml:"SourcePolicyId"`
	SourcePolicyType string
}

type evaluationXML struct {
	EvalActionName    string
	EvalResourceName  string
	EvalDecision      string
	MatchedStatements []matchedXML `xml:"MatchedStatements>member,omitempty"`

	ResourceSpecificResults []specificXML `xml:"ResourceSpecificResults>member"`
}

// specificXML is where AWS puts the answer about each resource, with the condition keys that it misses.
type specificXML struct {
	EvalResourceName     string
	EvalResourceDecision string
	MissingContextValues []string `xml:"MissingContextValues>member,omitempty"`
}

// A simulation is what is asked of IAM's policy simulator. Names belong to the
// identity policies, in their order.
type simulation struct {
	request policy.Request
	names   []string
	kind    string
}

func simulatePrincipalPolicy(q *queryCall) (any, *apiError) {
	arn := q.form.Get("PolicySourceArn")
	if err := q.allow(arn, "", nil); err != nil {
		return nil, err
	}
	i, _ := q.s.principalNamed(arn)
	if i == nil || i.account != q.acct {
		return nil, noSuchEntity("The principal %s does not exist.", arn)
	}
	sim := simulation{kind: "IAM Policy"}
	sim.request.Principal = policy.Principal{Account: q.acct.id, ARN: i.arn, UserID: i.id}
	for _, p := range i.attached.latest() {
		sim.add(p.name, p.inForce.latest().parsed)
	}
	for _, p := range i.inline.latest() {
		sim.add(p.name, p.parsed)
	}
	if b := i.boundary.latest(); b != nil {
		doc := b.inForce.latest().parsed
		sim.request.Boundary = &doc
	}
	return q.simulate(&sim)
}

func simulateCustomPolicy(q *queryCall) (any, *apiError) {
	if err := q.allow("*", "", nil); err != nil {
		return nil, err
	}
	sim := simulation{kind: "IAM Policy"}
	sim.request.Principal = policy.Principal{Account: q.acct.id, ARN: q.caller.ARN, UserID: q.caller.UserID}
	if arn := q.form.Get("CallerArn"); arn != "" {
		sim.request.Principal = policy.Principal{ARN: arn, Account: accountIn(arn)}
	}
	return q.simulate(&sim)
}

// accountIn is the account of an ARN; "" where it has none.
func accountIn(arn string) string {
	const fields, account = 6, 4
	parts := strings.SplitN(arn, ":", fields)
	if len(parts) < fields {
		return ""
	}
	return parts[account]
}

func (s *simulation) add(name string, doc policy.Document) {
	s.names = append(s.names, name)
	s.request.Identity = append(s.request.Identity, doc)
}

// simulate adds what the request itself brings, and decides each action on each
// resource.
func (q *queryCall) simulate(sim *simulation) (any, *apiError) {
	if err := q.addSimulated(sim); err != nil {
		return nil, err
	}
	resources := q.list("ResourceArns")
	if len(resources) == 0 {
		resources = []string{"*"}
	}
	var all []evaluationXML
	for _, action := range q.list("ActionNames") {
		for _, resource := range resources {
			all = append(all, sim.decide(action, resource))
		}
	}
	some, pg, err := page(q, all)
	return struct {
		EvaluationResults []evaluationXML `xml:"EvaluationResults>member"`
		pageXML
	}{some, pg}, err
}

func (q *queryCall) addSimulated(sim *simulation) *apiError {
	for n, text := range q.list("PolicyInputList") {
		doc, err := parseIdentityPolicy(text, policySize(text))
		if err != nil {
			return err
		}
		sim.add("PolicyInputList."+strconv.Itoa(n+1), doc.parsed)
	}
	for _, text := range q.list("PermissionsBoundaryPolicyInputList") {
		doc, err := parseIdentityPolicy(text, policySize(text))
		if err != nil {
			return err
		}
		sim.request.Boundary = &doc.parsed
	}
	if text := q.form.Get("ResourcePolicy"); text != "" {
		doc, err := policy.Parse([]byte(text))
		if err != nil {
			return newError(400, "InvalidInput", "Invalid resource policy: "+parseProblem(err))
		}
		sim.request.ResourcePolicy = &doc
	}
	sim.request.ResourceAccount = accountIn(q.form.Get("ResourceOwner"))
	sim.request.Context = q.contextEntries()
	return nil
}

// contextEntries reads ContextEntries.member.N.
func (q *queryCall) contextEntries() map[string][]string {
	out := map[string][]string{}
	for i := 1; ; i++ {
		prefix := "ContextEntries.member." + strconv.Itoa(i) + "."
		name := q.form.Get(prefix + "ContextKeyName")
		if name == "" {
			return out
		}
		out[name] = q.list(prefix + "ContextKeyValues")
	}
}

func (s *simulation) decide(action, resource string) evaluationXML {
	r := s.request
	r.Action, r.Resource = action, resource
	d := policy.Evaluate(r)
	out := evaluationXML{EvalActionName: action, EvalResourceName: resource, EvalDecision: "implicitDeny"}
	switch {
	case d.Allowed:
		out.EvalDecision = "allowed"
	case d.Reason == policy.ExplicitDeny:
		out.EvalDecision = "explicitDeny"
	}
	out.ResourceSpecificResults = []specificXML{{resource, out.EvalDecision, s.missing(r)}}
	if d.Statement != nil && d.Leg == policy.LegIdentity && d.Document < len(s.names) {
		out.MatchedStatements = slices.Concat(out.MatchedStatements, []matchedXML{{s.names[d.Document], s.kind}})
	}
	return out
}

// missing are the condition keys that the policies name, and that the simulation was not given.
func (s *simulation) missing(r policy.Request) []string {
	docs := slices.Clone(r.Identity)
	for _, d := range []*policy.Document{r.Boundary, r.ResourcePolicy} {
		if d != nil {
			docs = append(docs, *d)
		}
	}
	known := r.Values()
	var all []string
	for _, d := range docs {
		for _, statement := range d.Statements {
			for _, c := range statement.Condition {
				if _, given := known[strings.ToLower(c.Key)]; !given && !slices.Contains(all, c.Key) {
					all = append(all, c.Key)
				}
			}
		}
	}
	return all
}
