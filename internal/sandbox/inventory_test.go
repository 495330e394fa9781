package sandbox

import (
	"strings"
	"testing"
)

func TestTheInventoryNamesAllThatStandsAndNoAdministrator(t *testing.T) {
	s := New(Config{})
	if lines := s.Inventory(); len(lines) > 0 {
		t.Errorf("an empty world has %q", lines)
	}
	user, err := s.AddUser(DestinationAccount, "jo")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.AddAccessKey(user); err != nil {
		t.Fatal(err)
	}
	if err := s.AttachManagedPolicy(user, "reads", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`); err != nil {
		t.Fatal(err)
	}
	if err := s.AddBucket(SourceAccount, "tommy", BucketOptions{}); err != nil {
		t.Fatal(err)
	}
	s.AddInstance(DestinationAccount, "us-west-2", "i-1", false)
	all := strings.Join(s.Inventory(), "\n")
	for _, want := range []string{
		user + ", access keys: 1, tags map[], policies: arn:aws:iam::" + DestinationAccount + ":policy/reads", "policy/reads, tags map[]: {",
		"bucket tommy of " + SourceAccount, "uploads 0", "instance i-1 is running",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("the inventory lacks %q:\n%s", want, all)
		}
	}
}
