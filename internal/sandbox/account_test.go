package sandbox

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

func TestWrittenProfilesReachTheirAccounts(t *testing.T) {
	s := startServer(t, Config{})
	path := filepath.Join(t.TempDir(), "config")
	if err := s.WriteAWSConfig(path); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_CONFIG_FILE", path)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", path+".none")
	for profile, account := range map[string]string{SourceProfile: accountA, DestinationProfile: accountB} {
		cfg, err := config.LoadDefaultConfig(t.Context(), config.WithSharedConfigProfile(profile))
		if err != nil {
			t.Fatal(err)
		}
		id := must[*sts.GetCallerIdentityOutput](t)(sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), nil))
		if *id.Account != account || cfg.Region != defaultRegion {
			t.Errorf("profile %s reaches account %s in %s", profile, *id.Account, cfg.Region)
		}
	}
}

func TestSecretsAreNeverPrinted(t *testing.T) {
	s := New(Config{})
	arn, err := s.AddUser(accountA, "fred")
	if err != nil {
		t.Fatal(err)
	}
	c := must[Credentials](t)(s.AddAccessKey(arn))
	found, _ := s.keys.Load(c.AccessKeyID)
	for _, form := range []string{"%v", "%+v", "%#v", "%s"} {
		for _, v := range []any{c, &c, found} {
			if strings.Contains(fmt.Sprintf(form, v), c.Secret) {
				t.Errorf("%s of a %T shows the secret", form, v)
			}
		}
	}
}
