package test

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"xplan/internal/sandbox"
	"xplan/plan"
)

// contextAfter is for what is done when a test's own context has ended.
func contextAfter(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
}

// awsSides fills in the two accounts of a server that has accounts.
func (w *world) awsSides(t *testing.T, source, destination plan.Account) *world {
	t.Helper()
	source.Provider, destination.Provider = plan.AWS, plan.AWS
	w.source, w.destination = w.open(t, source), w.open(t, destination)
	w.host, w.guest = "arn:aws:iam::"+source.ID+":root", "arn:aws:iam::"+destination.ID+":root"
	return w
}

func (w *world) twoAccounts(t *testing.T) *world {
	t.Helper()
	return w.awsSides(t,
		plan.Account{ID: sourceAccount, Profile: sourceProfile, Region: region},
		plan.Account{ID: destinationAccount, Profile: destinationProfile, Region: region})
}

// startSandbox makes a sandbox of its own for the test.
func startSandbox(t *testing.T) *world {
	t.Helper()
	box := sandbox.New(sandbox.Config{})
	if err := box.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := box.Close(); err != nil {
			t.Errorf("close the sandbox: %v", err)
		}
	})
	w := &world{server: sandboxName, url: box.URL(), box: box, region: region}
	aID, aSecret := box.Admin(sourceAccount)
	bID, bSecret := box.Admin(destinationAccount)
	w.profiles = []profile{{sourceProfile, aID, aSecret}, {destinationProfile, bID, bSecret}}
	w.config = w.configFile(t, w.url)
	return w.twoAccounts(t)
}

// startMoto gives moto with two accounts, and IAM not enforced: with it on, moto refuses the signatures of many keys.
func startMoto(t *testing.T) *world {
	t.Helper()
	path := executable(t, motoName)
	p := started(t, motoName, func(dir string, port int) *exec.Cmd {
		cmd := exec.CommandContext(context.Background(), path, "-H", "127.0.0.1", "-p", strconv.Itoa(port))
		cmd.Dir = dir
		return cmd
	}, func(url string) []profile {
		return []profile{motoAdmin(t, url, sourceAccount, sourceProfile), motoAdmin(t, url, destinationAccount, destinationProfile)}
	})
	w := &world{server: motoName, url: p.url, region: region, profiles: p.profiles}
	w.enforcement(t, "inf")
	w.config = w.configFile(t, w.url)
	return w.twoAccounts(t)
}

// enforce switches moto's IAM on: from now on signatures, keys and identity policies count.
func (w *world) enforce(t *testing.T) {
	t.Helper()
	if w.server == motoName {
		w.enforcement(t, "0")
	}
}

// enforcement says after how many requests moto enforces IAM. The body is not a form.
func (w *world) enforcement(t *testing.T, after string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url+"/moto-api/reset-auth", strings.NewReader(after))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "text/plain")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("moto-api/reset-auth: %s", resp.Status)
	}
}

// motoAdmin makes an account's administrator. Moto finds the account by the access key: a role assumed in
// an account gives a key of it, and by that key the user and the user's own key are made.
func motoAdmin(t *testing.T, url, account, name string) profile {
	t.Helper()
	load := func(id, secret, token string) aws.Config {
		cfg, err := config.LoadDefaultConfig(t.Context(), config.WithRegion(region), config.WithBaseEndpoint(url),
			config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(id, secret, token)))
		if err != nil {
			t.Fatal(err)
		}
		return cfg
	}
	role, err := sts.NewFromConfig(load("anybody", "anybody", "")).AssumeRole(t.Context(), &sts.AssumeRoleInput{
		RoleArn: aws.String("arn:aws:iam::" + account + ":role/maker"), RoleSessionName: aws.String("maker"),
	})
	if err != nil {
		t.Fatal(err)
	}
	c := iam.NewFromConfig(load(*role.Credentials.AccessKeyId, *role.Credentials.SecretAccessKey, *role.Credentials.SessionToken))
	if _, err := c.CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("admin")}); err != nil {
		t.Fatal(err)
	}
	_, err = c.PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{
		UserName: aws.String("admin"), PolicyName: aws.String("all"),
		PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	key, err := c.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: aws.String("admin")})
	if err != nil {
		t.Fatal(err)
	}
	return profile{name: name, id: *key.AccessKey.AccessKeyId, secret: *key.AccessKey.SecretAccessKey}
}

// startVersitygw gives the gateway on a folder, where each access key is an owner: account A and account B.
func startVersitygw(t *testing.T) *world {
	t.Helper()
	const root, rootSecret, gatewayRegion = "rootaccess", "rootsecret", "us-east-1"
	path := executable(t, versitygwName)
	users := []profile{
		{name: sourceProfile, id: "accounta", secret: "secretofaccounta"},
		{name: destinationProfile, id: "accountb", secret: "secretofaccountb"},
	}
	p := started(t, versitygwName, func(dir string, port int) *exec.Cmd {
		for _, sub := range []string{"iam", "data", "versions"} {
			if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		return exec.CommandContext(context.Background(), path, "--port", fmt.Sprintf("127.0.0.1:%d", port), "--access", root, "--secret", rootSecret,
			"--iam-dir", filepath.Join(dir, "iam"), "--quiet", "posix", "--versioning-dir", filepath.Join(dir, "versions"), filepath.Join(dir, "data"))
	}, func(url string) []profile {
		for _, u := range users {
			out, err := exec.CommandContext(t.Context(), path, "admin", "--access", root, "--secret", rootSecret, "--endpoint-url", url,
				"create-user", "--access", u.id, "--secret", u.secret, "--role", "userplus").CombinedOutput()
			if err != nil {
				t.Fatalf("versitygw admin create-user: %v\n%s", err, out)
			}
		}
		return users
	})
	w := &world{server: versitygwName, url: p.url, host: users[0].id, guest: users[1].id, region: gatewayRegion, profiles: users}
	w.config = w.configFile(t, w.url)
	account := plan.Account{Provider: plan.S3Compatible, EndpointURL: p.url, Region: gatewayRegion, Profile: sourceProfile}
	w.source = w.open(t, account)
	account.Profile = destinationProfile
	w.destination = w.open(t, account)
	return w
}

// startAWS gives the accounts that the environment names.
func startAWS(t *testing.T) *world {
	t.Helper()
	setting := func(name string) string {
		v := os.Getenv(name)
		if v == "" {
			t.Fatalf("XPLAN_REQUIRE asks for aws: set %s", name)
		}
		return v
	}
	region := cmp.Or(os.Getenv("XPLAN_TEST_REGION"), region)
	w := &world{server: awsName, region: region}
	return w.awsSides(t,
		plan.Account{ID: setting("XPLAN_TEST_SOURCE_ACCOUNT"), Profile: setting("XPLAN_TEST_SOURCE_PROFILE"), Region: region},
		plan.Account{ID: setting("XPLAN_TEST_DESTINATION_ACCOUNT"), Profile: setting("XPLAN_TEST_DESTINATION_PROFILE"), Region: region})
}
