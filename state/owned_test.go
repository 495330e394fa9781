package state

import "testing"

func TestAnIntentWithoutIDIsFulfilledByTheID(t *testing.T) {
	intent := Owned{Kind: "credentials", Side: "destination", Parent: "misterrodgers", Before: []string{"AKIA1"}, Since: at(0)}
	reopened(t, func(db *DB) { must(t, db.Intend(intent)) }, func(db *DB) {
		want := intent
		want.Intent = true
		all, err := db.Owned()
		must(t, err)
		same(t, "after the intent", all, []Owned{want})

		key := Owned{Kind: "credentials", Side: "destination", Parent: "misterrodgers", Subject: "AKIA2", Since: at(1)}
		must(t, db.Own(key))
		all, err = db.Owned()
		must(t, err)
		same(t, "after the fact", all, []Owned{key})

		must(t, db.Disown(key.Key()))
		must(t, db.Disown(key.Key()))
		all, err = db.Owned()
		must(t, err)
		same(t, "after its end", all, []Owned(nil))
	})
}

func TestASecondIntentKeepsWhatWasKnownBeforeTheFirst(t *testing.T) {
	db := open(t, t.TempDir())
	must(t, db.Intend(Owned{Kind: "credentials", Parent: "u", Before: []string{"AKIA1"}, Since: at(0)}))
	// The first attempt may have made AKIA2: it must not count as somebody else's.
	must(t, db.Intend(Owned{Kind: "credentials", Parent: "u", Before: []string{"AKIA1", "AKIA2"}, Since: at(9)}))
	all, err := db.Owned()
	must(t, err)
	same(t, "owned", all, []Owned{{Kind: "credentials", Parent: "u", Intent: true, Before: []string{"AKIA1"}, Since: at(0)}})
}

func TestIntendingAnotherDocumentRemembersTheOwnedOne(t *testing.T) {
	db := open(t, t.TempDir())
	p := Owned{Kind: "iam.policy", Side: "destination", Subject: "arn", Digest: "one", Since: at(0)}
	must(t, db.Own(p))

	must(t, db.Intend(p))
	all, err := db.Owned()
	must(t, err)
	same(t, "the same digest stays owned", all, []Owned{p})

	p.Digest, p.Since = "two", at(5)
	must(t, db.Intend(p))
	p.Digest = "three"
	must(t, db.Intend(p))
	all, err = db.Owned()
	must(t, err)
	want := p
	want.Intent, want.Before, want.Since = true, []string{"one", "two"}, at(0)
	same(t, "any of three may stand", all, []Owned{want})

	must(t, db.Own(p))
	all, err = db.Owned()
	must(t, err)
	same(t, "one stands", all, []Owned{p})
}

func TestOwnedThingsDifferByEveryPartOfTheirKey(t *testing.T) {
	things := []Owned{
		{Kind: "a", Side: "b", Subject: "c", Parent: "d"},
		{Kind: "a", Side: "b", Subject: "cd"},
		{Kind: "a", Side: "b", Subject: "c"},
		{Kind: "a", Side: "", Subject: "c", Parent: "b"},
		{Kind: "ab", Side: "", Subject: "c"},
		{Kind: "a", Side: "b", Subject: "\x00", Parent: "\xff"},
	}
	reopened(t, func(db *DB) {
		for _, o := range things {
			must(t, db.Own(o))
		}
	}, func(db *DB) {
		all, err := db.Owned()
		must(t, err)
		if len(all) != len(things) {
			t.Errorf("%d things became %d", len(things), len(all))
		}
		must(t, db.Disown(things[1].Key()))
		all, err = db.Owned()
		must(t, err)
		if len(all) != len(things)-1 {
			t.Errorf("forgetting one left %d of %d", len(all), len(things))
		}
	})
}

func TestOnlyWhatHasASubjectIsOwned(t *testing.T) {
	db := open(t, t.TempDir())
	if err := db.Own(Owned{Kind: "credentials", Parent: "u"}); err == nil {
		t.Error("a nameless thing is owned")
	}
}
