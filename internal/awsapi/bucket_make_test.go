package awsapi

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xplan/internal/compile"
	"xplan/plan"
)

// writes lists what was changed, in order.
func writes(s *server) []string {
	var list []string
	for _, r := range s.requests() {
		if r.Method == http.MethodPut || r.Method == http.MethodDelete {
			list = append(list, r.Method+" "+r.Path+" "+strings.TrimSuffix(r.Query, "="))
		}
	}
	return list
}

func TestBucketIsMadeSafeFirst(t *testing.T) {
	s := serve(t, func(r request) (int, string) {
		if r.Method == http.MethodHead {
			return 404, ""
		}
		return 200, ""
	})
	err := account(t, s).CreateBucket(t.Context(), compile.BucketSpec{
		Name: "tommy-b", Region: "eu-west-1", Tags: map[string]string{compile.PlanTag: "tommy-to-b"},
		Settings: plan.BucketSettings{Versioning: true},
	})
	want := []string{
		"PUT /tommy-b ", "PUT /tommy-b publicAccessBlock", "PUT /tommy-b ownershipControls", "PUT /tommy-b encryption",
		"PUT /tommy-b versioning", "PUT /tommy-b tagging",
	}
	if d := cmp.Diff(want, writes(s)); err != nil || d != "" {
		t.Errorf("%v, writes (-want +got):\n%s", err, d)
	}
	made := s.requests()[1]
	if made.Header.Get("X-Amz-Object-Ownership") != "BucketOwnerEnforced" || !strings.Contains(made.Body, "<LocationConstraint>eu-west-1<") {
		t.Errorf("made with %v and %s, want ownership enforced, in eu-west-1", made.Header, made.Body)
	}
	if !strings.Contains(made.Body, "<Key>xplan:plan</Key><Value>tommy-to-b</Value>") {
		t.Errorf("made by %s, want it to be known as the plan's from the first", made.Body)
	}
	if !strings.Contains(s.requests()[4].Body, "AES256") {
		t.Errorf("encryption %s, want AES256", s.requests()[4].Body)
	}
}

func TestOwnBucketIsConfiguredAndKeepsItsTags(t *testing.T) {
	s := serve(t, func(r request) (int, string) {
		if asks(r, "tagging") && r.Method == http.MethodGet {
			return 200, `<Tagging><TagSet><Tag><Key>team</Key><Value>x</Value></Tag></TagSet></Tagging>`
		}
		if asks(r, "publicAccessBlock") && r.Method == http.MethodGet {
			return 200, `<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls><BlockPublicPolicy>true</BlockPublicPolicy><RestrictPublicBuckets>true</RestrictPublicBuckets></PublicAccessBlockConfiguration>`
		}
		if asks(r, "encryption") && r.Method == http.MethodGet {
			return 200, `<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>`
		}
		return unconfigured(r)
	})
	err := account(t, s).CreateBucket(t.Context(), compile.BucketSpec{Name: "tommy-b", Tags: map[string]string{compile.PlanTag: "p"}})
	want := []string{"PUT /tommy-b ownershipControls", "PUT /tommy-b tagging"}
	if d := cmp.Diff(want, writes(s)); err != nil || d != "" {
		t.Errorf("%v, writes (-want +got):\n%s", err, d)
	}
	last := s.requests()[len(s.requests())-1].Body
	if !strings.Contains(last, "<Key>team</Key>") || !strings.Contains(last, "<Key>"+compile.PlanTag+"</Key>") {
		t.Errorf("tags %s, want both", last)
	}
}

// TestWithoutTagResourceABucketIsTaggedAfterwards: s3:TagResource is younger than many administrators' policies.
func TestWithoutTagResourceABucketIsTaggedAfterwards(t *testing.T) {
	s := serve(t, func(r request) (int, string) {
		switch {
		case r.Method == http.MethodHead:
			return 404, ""
		case r.Query == "" && strings.Contains(r.Body, "<Tags>"):
			return 403, xmlError("AccessDenied", "not authorized to perform: s3:TagResource")
		}
		return 200, ""
	})
	err := account(t, s).CreateBucket(t.Context(), compile.BucketSpec{Name: "tommy-b", Region: "eu-west-1", Tags: map[string]string{compile.PlanTag: "p"}})
	want := []string{"PUT /tommy-b ", "PUT /tommy-b ", "PUT /tommy-b publicAccessBlock", "PUT /tommy-b ownershipControls", "PUT /tommy-b encryption", "PUT /tommy-b tagging"}
	if d := cmp.Diff(want, writes(s)); err != nil || d != "" {
		t.Errorf("%v, writes (-want +got):\n%s", err, d)
	}
}

func TestForeignBucketIsNotMadeOurs(t *testing.T) {
	s := serve(t, func(r request) (int, string) {
		switch r.Method {
		case http.MethodHead:
			return 404, ""
		case http.MethodPut:
			return 409, xmlError("BucketAlreadyExists", "taken")
		}
		return 200, ""
	})
	err := account(t, s).CreateBucket(t.Context(), compile.BucketSpec{Name: "tommy-b"})
	if err == nil || !strings.Contains(err.Error(), "another account") || len(writes(s)) != 1 {
		t.Errorf("got %v after %v, want the refusal and nothing configured", err, writes(s))
	}
}

func TestNewBucketOfTheFirstRegionHasNoConstraint(t *testing.T) {
	s := serve(t, func(r request) (int, string) {
		if r.Method == http.MethodHead {
			return 404, ""
		}
		return 200, ""
	})
	if err := account(t, s).CreateBucket(t.Context(), compile.BucketSpec{Name: "b", Region: "us-east-1"}); err != nil {
		t.Fatal(err)
	}
	if made := s.requests()[1]; strings.Contains(made.Body, "LocationConstraint") {
		t.Errorf("made with %s, want no constraint", made.Body)
	}
}

func TestDeletedBucketIsGoneAlready(t *testing.T) {
	s := serve(t, func(request) (int, string) { return 404, xmlError("NoSuchBucket", "") })
	if err := account(t, s).DeleteBucket(t.Context(), compile.BucketSpec{Name: "b"}); err != nil {
		t.Error(err)
	}
	s = serve(t, func(r request) (int, string) {
		if r.Method == http.MethodDelete {
			return 409, xmlError("BucketNotEmpty", "The bucket you tried to delete is not empty")
		}
		return 200, ""
	})
	if err := account(t, s).DeleteBucket(t.Context(), compile.BucketSpec{Name: "b"}); err == nil {
		t.Error("a full bucket was said to be deleted")
	}
}
