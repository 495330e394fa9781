package compile

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"xplan/plan"
)

// moving is the plan that deletes its source, of which all versions are copied, or the current ones.
func moving(versions plan.Versions, versioning string) (*plan.Plan, World) {
	p, w := tommy(), known()
	p.Buckets[0].Copy.Versions = versions
	p.Buckets[0].Cleanup = plan.PairCleanup{SourceObjects: plan.AfterVerify, SourceBucket: plan.AfterVerify}
	source(w, func(b *Bucket) { b.Versioning = versioning })
	destination(w, func(b *Bucket) { *b = secure("us-west-2"); b.Versioning = enabled })
	f := same3()
	if versions == plan.AllVersions {
		f.Versions = &VersionFacts{Versions: Count{1200, 30}, Markers: 2}
	}
	w.Copies[onlyPair] = f
	return p, w
}

func TestTheReviewSaysWhichVersionsGo(t *testing.T) {
	for name, c := range map[string]struct {
		versions     plan.Versions
		versioning   string
		uncounted    bool
		danger, note string
		waits        bool
	}{
		"all versions":                {versions: plan.AllVersions, versioning: enabled, danger: "DELETE 1,200 versions and 2 delete markers of 3 keys in tommy"},
		"nobody counted":              {versions: plan.AllVersions, versioning: enabled, uncounted: true, danger: "DELETE all versions and delete markers in tommy"},
		"suspended":                   {versions: plan.AllVersions, versioning: "Suspended", danger: "DELETE 1,200 versions and 2 delete markers of 3 keys in tommy", note: "enable versioning before"},
		"of a bucket that keeps none": {versions: plan.AllVersions, danger: "DELETE 3 source objects in tommy"},
		"current versions":            {versioning: enabled, danger: "DELETE 3 source objects in tommy", note: "copy.versions: all copies all of them", waits: true},
		"current, suspended":          {versioning: "Suspended", danger: "DELETE 3 source objects in tommy", note: "copy.versions: all copies all of them", waits: true},
	} {
		t.Run(name, func(t *testing.T) {
			p, w := moving(c.versions, c.versioning)
			if c.uncounted {
				w.Copies = nil
			}
			prog := compiled(t, p, w)
			for _, kind := range []Kind{KindCleanSourceObjects, KindCleanSourceBucket} {
				i := slices.IndexFunc(prog.Steps, func(s Step) bool { return s.Kind == kind })
				if i < 0 {
					t.Fatalf("no step %s", kind)
				}
				s := prog.Steps[i]
				if (s.Action == Wait) != c.waits || (s.Confirm == "") != c.waits {
					t.Errorf("%s is %s, and wants --confirm=%s", kind, s.Action, s.Confirm)
				}
				if kind == KindCleanSourceObjects && (s.Change.Danger != c.danger || !strings.Contains(s.Change.Note, c.note) || (c.note == "") != (s.Change.Note == "")) {
					t.Errorf("it says %q, %q", s.Change.Danger, s.Change.Note)
				}
			}
		})
	}
}

func TestVersionsOfALockedOrReplicatedSourceDoNotGo(t *testing.T) {
	for says, change := range map[string]func(*Bucket){
		"it has Object Lock":  func(b *Bucket) { b.ObjectLock = true },
		"it has MFA delete":   func(b *Bucket) { b.MFADelete = true },
		"it is replicated":    func(b *Bucket) { b.Replication = true },
		"sizes alone are no ": nil,
	} {
		p, w := moving(plan.AllVersions, enabled)
		if change == nil {
			p.Buckets[0].Copy.Compare = plan.CompareSize
		} else {
			source(w, change)
		}
		_, err := Compile(p, w)
		if refused, ok := errors.AsType[*ProblemsError](err); !ok || !strings.Contains(refused.Error(), says) {
			t.Errorf("want %q, got %v", says, err)
		}
	}
}

// What denies the deletion of versions is foreseen, and not what denies that of current objects.
func TestTheDeletionOfVersionsIsForeseen(t *testing.T) {
	deny := `"Sid":"Keep",` + denyAll + `,"Action":["s3:DeleteObjectVersion","s3:GetObjectVersionTagging"],` + onTommy
	for versions, want := range map[plan.Versions]string{
		plan.AllVersions: "delete the source: s3:DeleteObjectVersion, s3:GetObjectVersionTagging: statement Keep", "": "",
	} {
		p, w := moving(versions, map[plan.Versions]string{plan.AllVersions: enabled}[versions])
		got := told(compiled(t, p, sourcePolicy(w, deny)).Findings)
		if want == "" && strings.Contains(got, "delete the source") || !strings.Contains(got, want) {
			t.Errorf("got %s, want %q", got, want)
		}
	}
}

func TestTagsOfAllVersionsAreInTheEstimate(t *testing.T) {
	reads := func(versions plan.Versions, tags bool) (n int64) {
		p, w := moving(versions, map[plan.Versions]string{plan.AllVersions: enabled}[versions])
		p.Buckets[0].Copy.Tags = tags
		f := w.Copies[onlyPair]
		f.New, f.Work = Count{1, 1}, map[string]Work{"STANDARD": {Objects: 1, Bytes: 1}}
		w.Copies[onlyPair] = f
		for _, c := range compiled(t, p, w).Estimate.Once {
			if c.What == ChargeGet {
				n += c.Requests
			}
		}
		return n
	}
	if n := reads(plan.AllVersions, true) - reads(plan.AllVersions, false); n != 2400 {
		t.Errorf("%d reads of tags, want 2,400", n)
	}
	if n := reads("", true) - reads("", false); n != 6 {
		t.Errorf("%d reads of tags, want 6", n)
	}
}
