package compile

import (
	"math"
	"slices"
	"strings"
	"time"

	"xplan/internal/policy"
	"xplan/plan"
)

// markCutOvers finds the pairs that are cut over: there is something to copy; or their source is to be deleted, and has to
// stand still until it is; or it is to stay frozen in the end, and is not.
func (b *builder) markCutOvers() {
	if b.p.CutOver == nil {
		return
	}
	held := map[string]bool{} // sources that have to be frozen in the end
	if b.freezes() && b.p.Cleanup.Freeze == plan.OnFailure {
		for _, name := range b.sources() {
			held[name] = len(frozen(b.p, b.w, name).ours) == 0
		}
	}
	together := map[string]bool{} // a frozen bucket is cut over as a whole
	for _, br := range b.branches {
		if !br.moved && (br.copying || b.freezes() && (br.deletes() || held[br.pair.Source])) {
			together[br.pair.Source] = true
		}
	}
	for i, br := range b.branches {
		b.branches[i].cutting = !br.moved && (br.copying || b.freezes() && together[br.pair.Source])
	}
}

// freezes tells whether the run denies writing to the sources.
func (b *builder) freezes() bool { return b.p.Freezes() && b.manages() }

// cutOvers follow the copies: deltas, the freeze of each source once all of its pairs have come so far, the final passes, and
// their verification.
func (b *builder) cutOvers() {
	for _, br := range b.branches {
		if br.cutting {
			b.delta(br)
		}
	}
	if b.freezes() {
		for _, name := range b.sources() {
			if b.from(name).cutting {
				b.freeze(name)
			}
		}
	}
	for _, br := range b.branches {
		if br.cutting {
			b.final(br)
			b.verification(br)
		}
	}
}

func (b *builder) delta(br branch) {
	spec := b.copySpec(br)
	spec.NothingToDo, spec.Preliminary, spec.Passes, spec.Until = false, true, b.p.CutOver.Passes, b.p.CutOver.Until
	b.add(Step{
		ID: id(KindDelta, br.id), Kind: KindDelta, Side: plan.Destination, Pair: br.id, Subject: pairText(br.pair), Action: Run,
		Needs: []plan.StepID{id(KindProbe, br.id), id(KindCopy, br.id)}, Spec: Spec{Copy: spec},
		Change: Change{Note: deltaText(*b.p.CutOver)},
	})
}

func deltaText(c plan.CutOver) string {
	switch c.Passes {
	case 0:
		return "none is asked for"
	case 1:
		return "one pass"
	}
	return "at most " + thousands(int64(c.Passes)) + " passes; the last is one that copies at most " + objects(int64(c.Until))
}

// listedPerSecond is how many keys of both sides a listing compares in a second where nothing runs side by side.
const listedPerSecond = 12_500

// frozenFor is an estimate of how long the final pass holds its source frozen: two listings, and the copying of what the last
// delta leaves. Where the bytes are read again nobody knows.
func (b *builder) frozenFor(br branch) string {
	f := br.facts
	if !f.Known || f.Partial {
		return "how long it is frozen is not known: nothing was counted"
	}
	if br.locks() {
		return "frozen while the lock of every object of it is read"
	}
	if br.pair.Verify.Level == plan.LevelBytes {
		return "frozen while every byte of it is read again"
	}
	rate, c := objectsPerSecond, b.p.CutOver
	if b.p.Estimate != nil && b.p.Estimate.ObjectsPerSecond > 0 {
		rate = b.p.Estimate.ObjectsPerSecond
	}
	seconds := proofSeconds + math.Ceil(2*float64(f.Listed.Objects)/listedPerSecond+float64(c.Until)/float64(rate))
	return "frozen for about " + (time.Duration(seconds) * time.Second).String() + ": two listings of " + objects(f.Listed.Objects) +
		", and at most " + objects(int64(c.Until)) + " to copy if a delta leaves no more"
}

// proofSeconds is the least that it takes to see that a freeze holds.
const proofSeconds = 2

func (b *builder) final(br branch) {
	spec := b.copySpec(br)
	spec.NothingToDo, spec.Frozen = false, b.freezes()
	s := Step{
		ID: id(KindFinal, br.id), Kind: KindFinal, Side: plan.Destination, Pair: br.id, Subject: pairText(br.pair), Action: Run,
		Needs: []plan.StepID{id(KindDelta, br.id), id(KindFreezeProbe, br.pair.Source)}, Spec: Spec{Copy: spec},
	}
	s.Change.Note = b.frozenFor(br)
	if !spec.Frozen {
		s.Change.Note = "nothing is frozen: what is written to " + br.pair.Source + " while it lists may be missed"
	}
	b.add(s)
}

// freeze denies writing to a source, and proves it. All of its pairs come so far first: a bucket is frozen for the final pass
// alone.
func (b *builder) freeze(bucket string) {
	subject := "bucket policy of " + bucket
	have := frozen(b.p, b.w, bucket)
	for _, sid := range have.other {
		b.problem(subject, "a statement "+sid+" is there and was not made by this plan", "choose another cutover.statement, or take it out by hand")
	}
	spec := b.freezeSpec(bucket)
	s := Step{
		ID: id(KindFreeze, bucket), Kind: KindFreeze, Side: plan.Source, Subject: b.subject(plan.Source, bucket), Action: Update,
		Needs: append(b.identity(plan.Source), id(KindInspect, bucket)), Spec: Spec{Freeze: &spec},
	}
	for _, br := range b.sharing(bucket) {
		s.Needs = append(s.Needs, id(KindDelta, br.id))
	}
	s.After = []plan.StepID{id(KindBucketPolicy, bucket)}
	standing := b.merged(bucket, &spec)
	if len(have.ours) == len(spec.Statements) && !standing {
		s.Action = Hold
		s.Change.Note = "frozen already" + sinceText(have.since)
	} else {
		s.Change = b.freezeChange(bucket, spec)
		b.checkPublic(b.from(bucket))
	}
	b.warnOfFrozen(bucket)
	b.add(s)
	b.add(Step{
		ID: id(KindFreezeProbe, bucket), Kind: KindFreezeProbe, Side: plan.Source, Subject: b.subject(plan.Source, bucket), Action: Run,
		Needs: []plan.StepID{id(KindFreeze, bucket)}, Spec: Spec{Freeze: &spec},
	})
}

// warnOfFrozen tells what goes on changing a source that is frozen, or will not work on it.
func (b *builder) warnOfFrozen(bucket string) {
	br := b.from(bucket)
	if slices.Contains(br.src.Configured, "lifecycle") {
		b.warn("bucket "+bucket, "its lifecycle rules go on while it is frozen: what they delete meanwhile stays at the destination")
	}
	if len(b.p.CutOver.Exempt) > 0 {
		b.warn("bucket "+bucket, "while it is frozen %s may write to it: what they write then may be missed", strings.Join(b.p.CutOver.Exempt, ", "))
	}
}

func sinceText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return " since " + t.UTC().Format(time.RFC3339)
}

func (b *builder) freezeSpec(bucket string) FreezeSpec {
	br := b.from(bucket)
	spec := FreezeSpec{Bucket: bucket, Account: b.p.Accounts.Source.ID, Region: br.srcRegion}
	for _, s := range freezeStatements(b.p, b.w, bucket) {
		spec.Statements = append(spec.Statements, StatementSpec{
			Bucket: bucket, Account: spec.Account, Region: spec.Region,
			Sid: s.Sid, Statement: string(s.JSON()), Digest: s.Digest(), Live: live(b.w),
		})
	}
	for _, br := range b.sharing(bucket) {
		spec.Prefixes, spec.Pairs = append(spec.Prefixes, br.pair.Prefix), append(spec.Pairs, br.id)
	}
	spec.Prefixes = outermost(spec.Prefixes)
	return spec
}

// merged says of each statement which policy it will be merged into: the one that stands, with what the run adds before. It
// tells whether anything of it differs from what stands.
func (b *builder) merged(bucket string, spec *FreezeSpec) bool {
	subject := "bucket policy of " + bucket
	have := b.standing(bucket)
	if have.unread != nil {
		b.problem(subject, "it cannot be read: "+have.unread.Error(), "")
		return true
	}
	doc, changes := have.doc, false
	if _, planned := b.find(id(KindBucketPolicy, bucket)); planned {
		if with, _, err := policy.Merge(doc, b.docs.statements[bucket]); err == nil { // else reported where it is merged
			doc = with
		}
	}
	for i, s := range freezeStatements(b.p, b.w, bucket) {
		spec.Statements[i].Reviewed = StandingDigest(doc)
		spec.Statements[i].MadeWhole = doc.Empty()
		with, found, err := policy.Merge(doc, s)
		if err == nil {
			err = policy.CheckResource(policy.Document{Version: with.Version, Statements: []policy.Statement{s}})
		}
		if n := len(with.JSON()); err == nil && n > policy.BucketPolicyLimit {
			err = &policy.SizeError{What: "with the statement that freezes the bucket it", Size: n, Limit: policy.BucketPolicyLimit}
		}
		if err != nil {
			b.problem(subject, err.Error(), "shorten it, or use fewer prefixes")
			return true
		}
		doc, changes = with, changes || found != policy.FoundSame
	}
	return changes
}

// freezeChange shows the freeze as what it is to those who write there.
func (b *builder) freezeChange(bucket string, spec FreezeSpec) Change {
	where := make([]string, 0, len(spec.Prefixes))
	for _, prefix := range spec.Prefixes {
		where = append(where, place(bucket, prefix))
	}
	c := Change{Danger: "DENY writing to " + listText(where) + " to everybody, from before the final pass " + b.frozenUntil(bucket)}
	c.Lines = append(c.Lines, Line{"!", c.Danger})
	for _, s := range freezeStatements(b.p, b.w, bucket) {
		c.Lines = append(c.Lines, Line{"+", sidText(s)})
	}
	ours := plan.FreezeSids(b.p.CutOver.Statement)
	c.Preserved = slices.DeleteFunc(others(b.standing(bucket).doc, ours[0]), func(label string) bool { return label == ours[1] })
	return c
}

func (b *builder) frozenUntil(bucket string) string {
	switch deletes := slices.ContainsFunc(b.sharing(bucket), branch.deletes); {
	case b.p.Cleanup.Freeze == plan.OnFailure:
		return "on; once all is verified, until a person lifts it (xplan cleanup FILE)"
	case deletes:
		return "until its deletion is done"
	default:
		return "until all is verified"
	}
}

func listText(all []string) string {
	if last := len(all) - 1; last > 0 {
		return strings.Join(all[:last], ", ") + " and " + all[last]
	}
	return all[0]
}

// cleanFreezes lift what is frozen: at every end of a run, whatever it came to.
func (b *builder) cleanFreezes() {
	names := b.sources()
	for _, o := range b.w.Owned {
		if o.Kind == KindFreeze {
			names = append(names, o.Subject)
		}
	}
	for _, name := range unique(names) {
		b.cleanFreeze(name)
	}
}

func (b *builder) cleanFreeze(bucket string) {
	spec := FreezeSpec{Bucket: bucket, Account: b.p.Accounts.Source.ID, Region: b.w.Buckets[BucketRef{plan.Source, bucket}].Region}
	made, planned := b.find(id(KindFreeze, bucket))
	if planned {
		spec = *made.Spec.Freeze
		spec.Statements = slices.Clone(spec.Statements)
	}
	have := frozen(b.p, b.w, bucket)
	for _, s := range have.ours {
		b.lifts(&spec, s.Sid, s.Digest(), string(s.JSON()))
	}
	for _, o := range b.w.Owned { // of what stands no more, the record goes
		if o.Kind == KindFreeze && o.Subject == bucket {
			b.lifts(&spec, o.Parent, o.Digest, "")
		}
	}
	if len(spec.Statements) == 0 {
		return
	}
	s := Step{
		ID: id(KindCleanFreeze, bucket), Kind: KindCleanFreeze, Side: plan.Source, Subject: b.subject(plan.Source, bucket), Action: Delete,
		Needs: b.identity(plan.Source), Spec: Spec{Freeze: &spec},
		After: slices.Concat([]plan.StepID{id(KindFreeze, bucket), id(KindFreezeProbe, bucket), id(KindBucketPolicy, bucket), id(KindCleanSourceBucket, bucket)}),
	}
	for _, st := range spec.Statements {
		s.Change.Lines = append(s.Change.Lines, Line{"-", "Sid " + st.Sid})
	}
	for _, br := range b.sharing(bucket) {
		s.After = append(s.After, id(KindCleanSourceObjects, br.id))
	}
	b.holdFreeze(&s, have, planned)
	b.add(b.tidy(s, plan.Always, b.sharing(bucket)))
}

// holdFreeze is for a freeze that stays until a person lifts it.
func (b *builder) holdFreeze(s *Step, have frost, planned bool) {
	bucket := s.Spec.Freeze.Bucket
	switch {
	case b.p.Cleanup.Freeze != plan.OnFailure || b.alone:
		if !have.since.IsZero() || len(have.ours) > 0 {
			s.Change.Note = "frozen" + sinceText(have.since)
		}
	case planned:
		s.Spec.Freeze.HoldsVerified = true
		s.Change.Note = "unless all is verified: then it stays until xplan cleanup FILE lifts it"
	case len(have.ours) > 0:
		s.Action = Wait
		s.Change.Note = bucket + " is frozen" + sinceText(have.since) + ", verified: switch its writers, then lift it: xplan cleanup FILE"
	}
}

// lifts adds a statement that is to go, once.
func (b *builder) lifts(spec *FreezeSpec, sid, digest, text string) {
	if slices.ContainsFunc(spec.Statements, func(s StatementSpec) bool { return s.Sid == sid }) {
		return
	}
	spec.Statements = append(spec.Statements, StatementSpec{
		Bucket: spec.Bucket, Account: spec.Account, Region: spec.Region, Sid: sid, Statement: text, Digest: digest, Live: live(b.w),
	})
}
