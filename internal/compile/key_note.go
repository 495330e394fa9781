package compile

import (
	"slices"
	"strings"
	"time"

	"xplan/plan"
)

// KeyTag is the tag of our policy that tells of the access key which a run makes. A key
// carries no tags, so this is how it is found again when state is lost: a CI machine that was
// taken away in the middle of a run, say. It holds IDs, never a secret.
const KeyTag = "xplan:key"

const (
	noteMade   = "made"   // made ID
	noteIntent = "intent" // intent TIME ID…, the IDs being those that were there before
)

// KeyNote says in a tag's value what a record of a key says.
func KeyNote(o Owned) string {
	if !o.Intent {
		return noteMade + " " + o.Subject
	}
	return strings.Join(append([]string{noteIntent, o.Since.UTC().Format(time.RFC3339)}, o.Before...), " ")
}

// notedKey reads a note back. A note of a key that is gone, or of an intent that came to
// nothing, tells of nothing that stands.
func notedKey(note, user string, there []AccessKey) (Owned, bool) {
	words := strings.Fields(note)
	o := Owned{Kind: KindCredentials, Side: plan.Destination, Parent: user}
	stands := func(id string) bool {
		return slices.ContainsFunc(there, func(k AccessKey) bool { return k.ID == id })
	}
	switch {
	case len(words) == 2 && words[0] == noteMade:
		o.Subject = words[1]
		return o, stands(o.Subject)
	case len(words) >= 2 && words[0] == noteIntent:
		since, err := time.Parse(time.RFC3339, words[1])
		o.Intent, o.Since, o.Before = true, since, words[2:]
		newer := slices.ContainsFunc(there, func(k AccessKey) bool { return !slices.Contains(o.Before, k.ID) })
		return o, err == nil && newer
	default:
		return o, false
	}
}

// MadeKey is the ID of the key that a note says was made; "" where it says something else.
func MadeKey(note string) string {
	if words := strings.Fields(note); len(words) == 2 && words[0] == noteMade {
		return words[1]
	}
	return ""
}

// taggedKeys are the keys that the notes on our policies tell of.
func taggedKeys(p *plan.Plan, w World) []Owned {
	if p.Principal == nil || !w.Principal.Exists {
		return nil
	}
	user := parseEntity(p.Principal.ARN).name
	var found []Owned
	for _, m := range w.Policies {
		if !m.Exists || m.Tags[PlanTag] != p.Name {
			continue
		}
		if o, ok := notedKey(m.Tags[KeyTag], user, w.Principal.Keys); ok {
			found = append(found, o)
		}
	}
	return found
}
