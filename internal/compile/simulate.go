package compile

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"xplan/internal/policy"
	"xplan/plan"
)

// A Question is what IAM's policy simulator is asked: whether the caller may do each of some actions on one resource. See
// "SimulateCustomPolicy" and "SimulatePrincipalPolicy" in the IAM API Reference.
type Question struct {
	Side           plan.Side // whose administrator asks
	Caller         string    // ARN of a user or role
	Own            bool      // the caller's policies are those that it has; else those that follow
	Identity       []string  // JSON
	Boundary       string    // JSON; "" is none
	ResourcePolicy string    // JSON; "" is none
	Owner          string    // account of the resource
	Resource       string    // ARN; a star at its end stands for all below
	Actions        []string
	Context        map[string][]string // condition keys of the request, as far as they are known

	digest string // of Identity, where that is long and shared
}

// An Opinion is the simulator's answer about one action.
type Opinion struct {
	Decision string   // allowed, explicitDeny, implicitDeny
	Missing  []string // condition keys that the policies name and the question does not
}

func (o Opinion) allowed() bool { return o.Decision == "allowed" }

// A Simulator asks IAM's policy simulator. The opinions are by action.
type Simulator interface {
	Simulate(ctx context.Context, q Question) (map[string]Opinion, error)
}

// id names a question's answer about an action.
func (q Question) id(action string) string {
	q.Actions = []string{action}
	if q.digest != "" {
		q.Identity = []string{q.digest}
	}
	text, err := json.Marshal(q)
	if err != nil {
		panic("compile: a question is data and always encodes: " + err.Error())
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// longestConsultation is how long AWS's opinion is waited for: nothing depends on it.
const longestConsultation = 30 * time.Second

// Consult asks the simulator and returns the world with its opinions. Where it may not be asked, one note is in World.Unseen; a server
// that does not have it is no news. Only the end of the context is an error. Opinions are no facts: no digest is of them.
func Consult(ctx context.Context, w World, questions []Question, of func(plan.Side) Simulator) (World, error) {
	heard := maps.Clone(w.Opinions)
	if heard == nil {
		heard = map[string]Opinion{}
	}
	within, cancel := context.WithTimeout(ctx, longestConsultation)
	defer cancel()
	rest, failure := questions, error(nil)
	for len(rest) > 0 && failure == nil { // the first alone: where it is refused, so are the others
		n := min(len(rest), readers)
		if len(rest) == len(questions) {
			n = 1
		}
		failure = ask(within, rest[:n], of, heard)
		rest = rest[n:]
	}
	if err := ctx.Err(); err != nil {
		return w, fmt.Errorf("ask the policy simulator: %w", err)
	}
	w.Opinions = heard
	if failure != nil && !questions[0].Own && !errors.Is(failure, ErrUnsupported) && !errors.Is(failure, ErrUnavailable) {
		why := "iam:SimulateCustomPolicy gave no answer"
		if errors.Is(failure, ErrDenied) {
			why = "iam:SimulateCustomPolicy denied"
		}
		w.Unseen = append(slices.Clone(w.Unseen), Unseen{What: "AWS's own opinion on access", Why: why + ": access is judged by xplan alone", About: "simulator"})
	}
	return w, nil
}

// ask asks some questions side by side and keeps the answers.
func ask(ctx context.Context, some []Question, of func(plan.Side) Simulator, heard map[string]Opinion) error {
	answers := make([]map[string]Opinion, len(some))
	var g errgroup.Group
	for i, q := range some {
		g.Go(func() (err error) {
			answers[i], err = of(q.Side).Simulate(ctx, q)
			return err
		})
	}
	err := g.Wait()
	for i, q := range some {
		for action, o := range answers[i] {
			heard[q.id(action)] = o
		}
	}
	return err
}

// Questions are those about the principal's calls in the plan's run, with the documents as compiled: one for each resource
// and context. It is pure.
func Questions(p *plan.Plan, w World) []Question {
	b := newBuilder(p, w)
	b.checkWorld()
	b.buckets()
	b.permissions()
	if p.Principal == nil || !p.Accounts.Destination.IsAWS() || len(b.problems) > 0 {
		return nil
	}
	all := together{at: map[string]int{}}
	who := b.caller()
	for _, br := range b.branches {
		if br.src.Foreign || br.dst.Foreign || !br.active() {
			continue
		}
		for _, c := range b.calls(br) {
			if q, ok := b.question(c, who); ok {
				all.add(q)
			}
		}
	}
	return all.list
}

// AdministratorsQuestions are those about the administrators' calls, by the policies that they have. It is pure.
func AdministratorsQuestions(p *plan.Plan, w World) []Question {
	if p.Principal == nil || !p.Accounts.Destination.IsAWS() {
		return nil
	}
	b := diagnosed(p, w)
	all := together{at: map[string]int{}}
	for _, s := range b.steps {
		for _, c := range b.adminCalls(s) {
			if q, ok := b.question(c, b.administrator(c)); ok {
				all.add(q)
			}
		}
	}
	return all.list
}

// together are questions of which no two differ in their actions alone.
type together struct {
	list []Question
	at   map[string]int // where a question is in the list, by its ID without an action
}

// add adds a question, to one that differs in its actions alone if there is one.
func (t *together) add(q Question) {
	id := q.id("")
	i, there := t.at[id]
	if !there {
		t.at[id] = len(t.list)
		t.list = append(t.list, q)
		return
	}
	t.list[i].Actions = unique(append(t.list[i].Actions, q.Actions...))
}

// question is that about a call; false where the simulator could only answer wrongly: it knows no policies of keys and none of
// resources for a role, and what was not read cannot be given to it.
func (b *builder) question(c call, who caller) (Question, bool) {
	owner := c.where.account
	q := Question{Side: plan.Destination, Caller: who.arn, Owner: owner, Resource: c.about(), Actions: []string{c.action}}
	if who.admin {
		q.Side, q.Own, q.Context = c.side, true, b.context(c, who)
		return q, strings.Contains(who.arn, ":user/") || strings.Contains(who.arn, ":role/")
	}
	p := b.prospect(c, who)
	role := parseEntity(who.arn).role()
	if c.kms() || c.where.role != "" || len(p.Unread) > 0 || !b.w.Principal.Exists || role && (p.ResourcePolicy != nil || owner != p.Principal.Account) {
		return Question{}, false
	}
	q.Identity, q.digest = b.texts(who)
	if p.Boundary != nil {
		q.Boundary = string(p.Boundary.JSON())
	}
	if p.ResourcePolicy != nil {
		q.ResourcePolicy = string(p.ResourcePolicy.JSON())
	}
	text := strings.Join(append(slices.Clone(q.Identity), q.Boundary, q.ResourcePolicy), "\n")
	q.Context = mentioned(p.Values(), text)
	latin1 := !strings.ContainsFunc(text, func(r rune) bool { return r > '\u00ff' })
	return q, latin1 && len(q.Identity) > 0
}

// texts are the caller's policies, and what they are known by. They are the same for all calls of one caller, and of a plan
// with many pairs they are long.
func (b *builder) texts(who caller) (all []string, digest string) {
	if b.said == nil {
		b.said = map[string][]string{}
	}
	if _, made := b.said[who.arn]; !made {
		for _, d := range who.documents {
			all = append(all, string(d.doc.JSON()))
		}
		sum := sha256.Sum256([]byte(strings.Join(all, "\n")))
		b.said[who.arn] = append(all, hex.EncodeToString(sum[:]))
	}
	said := b.said[who.arn]
	return slices.Clone(said[:len(said)-1]), said[len(said)-1]
}

// mentioned are the condition keys that the documents name: the others tell nothing, and would part questions.
func mentioned(keys map[string][]string, text string) map[string][]string {
	text = strings.ToLower(text)
	out := map[string][]string{}
	for key, values := range keys {
		if strings.Contains(text, strings.ToLower(key)) {
			out[key] = values
		}
	}
	return out
}

// opinion is the simulator's on a call, if it has one. It is sure where it depends on nothing that nobody knows.
func (b *builder) opinion(c call, who caller) (o Opinion, sure, ok bool) {
	if len(b.w.Opinions) == 0 {
		return Opinion{}, false, false
	}
	q, ok := b.question(c, who)
	if !ok {
		return Opinion{}, false, false
	}
	o, ok = b.w.Opinions[q.id(c.action)]
	unknown := c.unknowns(who)
	sure = !slices.ContainsFunc(o.Missing, func(key string) bool {
		key = strings.ToLower(key)
		return !strings.HasPrefix(key, "s3:") || unknown(key)
	})
	return o, sure, ok
}

const simulator = "AWS's policy simulator"

// weigh lays the simulator's opinion beside ours. Where one of the two is surely wrong nothing is surely denied.
func (b *builder) weigh(c call, who caller, f policy.Forecast, ours []Finding) []Finding {
	o, sure, ok := b.opinion(c, who)
	if !ok || who.admin {
		return ours
	}
	part := slices.ContainsFunc(f.DependsOn, func(d policy.Dependence) bool { return d.Part })
	switch {
	case f.Outlook == policy.WillBeDenied && o.allowed():
		for i := range ours {
			ours[i].AWS = simulator + " says that it is allowed: see which of the two is right"
			if ours[i].Severity == SeverityDenied {
				ours[i].Severity = SeverityMay
			}
		}
	case f.Outlook == policy.WillBeDenied:
		for i := range ours {
			ours[i].AWS = simulator + " agrees"
		}
	case f.Outlook == policy.MayBeDenied && !o.allowed() && sure && !part:
		for i := range ours {
			ours[i].AWS = simulator + " says that it is denied whatever that is: " + o.Decision
			if c.spare == "" {
				ours[i].Severity = SeverityDenied
			}
		}
	case f.Outlook == policy.WillBeAllowed && !o.allowed() && sure:
		ours = append(ours, b.contradicted(c, who, o))
	}
	return ours
}

// contradicted words what only the simulator finds.
func (b *builder) contradicted(c call, who caller, o Opinion) Finding {
	f := b.finding(c, who, SeverityMay)
	if c.spare != "" {
		f.Severity = SeverityNote
	}
	f.Rule = "the policies as xplan reads them allow it"
	f.AWS = simulator + " says that it is denied: " + o.Decision
	f.Fix = "see which of the two is right, in the policies of " + who.label + " and in " + c.policyOf()
	return f
}
