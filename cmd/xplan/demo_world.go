package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"xplan/internal/sandbox"
)

// The demo's world: the recipe's two accounts, with what makes a copy go wrong by hand.
const (
	demoObjects = 2000
	demoUser    = "misterrodgers"
	demoOwnKey  = "misterrodgers" // a profile with a key that he has for other work

	// demoPolicy stands in the source's bucket policy before, and must stand there after.
	demoPolicy = `{"Version":"2012-10-17","Statement":[{"Sid":"DenyInsecureTransport","Effect":"Deny","Principal":"*",` +
		`"Action":"s3:*","Resource":["arn:aws:s3:::tommy","arn:aws:s3:::tommy/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}`

	demoPlan = `version: 1
name: tommy-to-b
accounts:
  source:      {id: "123456789012", profile: account-a-admin, region: us-west-2}
  destination: {id: "210987654321", profile: account-b-admin, region: us-west-2}
principal:
  arn: arn:aws:iam::210987654321:user/misterrodgers
  credentials: access-key
buckets:
  - source: tommy
    destination: tommy-b
    create: true
copy:
  in_flight: 16
`
)

// demoWorld is the sandbox and the files that lead to it.
type demoWorld struct {
	server *sandbox.Server
	dir    string
	config string
	plan   string
}

// newDemoWorld starts the sandbox and fills the source. Close ends it and removes its files.
func newDemoWorld() (*demoWorld, error) {
	dir, err := os.MkdirTemp("", "xplan-demo-")
	if err != nil {
		return nil, err
	}
	w := &demoWorld{
		server: sandbox.New(sandbox.Config{Latency: 5 * time.Millisecond, Propagation: 2 * time.Second}),
		dir:    dir, config: filepath.Join(dir, "aws-config"), plan: filepath.Join(dir, "tommy.xplan.yaml"),
	}
	if err := w.build(); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

func (w *demoWorld) close() error {
	return errors.Join(w.server.Close(), os.RemoveAll(w.dir))
}

func (w *demoWorld) build() error {
	if err := w.server.Start(); err != nil {
		return err
	}
	if err := os.WriteFile(w.plan, []byte(demoPlan), 0o600); err != nil {
		return err
	}
	if err := w.server.AddBucket(sandbox.SourceAccount, "tommy", sandbox.BucketOptions{}); err != nil {
		return err
	}
	if err := w.server.SetBucketPolicy("tommy", demoPolicy); err != nil {
		return err
	}
	arn, err := w.server.AddUser(sandbox.DestinationAccount, demoUser)
	if err != nil {
		return err
	}
	key, err := w.server.AddAccessKey(arn)
	if err != nil {
		return err
	}
	// He may do anything in his own account: the other account has to let him in all the same.
	all := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::tommy"}]}`
	if err := w.server.PutInlinePolicy(arn, "own-work", all); err != nil {
		return err
	}
	if err := w.profiles(key); err != nil {
		return err
	}
	if err := w.settings(); err != nil {
		return err
	}
	return w.fill()
}

// settings leads this process, and those that it starts, to the sandbox: nothing of the
// shell's own AWS settings is left, so the demo can reach no real account.
func (w *demoWorld) settings() error {
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		if strings.HasPrefix(name, "AWS_") {
			if err := os.Unsetenv(name); err != nil {
				return err
			}
		}
	}
	return errors.Join(
		os.Setenv("AWS_CONFIG_FILE", w.config),
		os.Setenv("AWS_SHARED_CREDENTIALS_FILE", w.config+".none"),
		os.Setenv("AWS_EC2_METADATA_DISABLED", "true"),
	)
}

// profiles writes the AWS config file: the two administrators, and the user's own key.
func (w *demoWorld) profiles(key sandbox.Credentials) error {
	if err := w.server.WriteAWSConfig(w.config); err != nil {
		return err
	}
	f, err := os.OpenFile(w.config, os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "\n[profile %s]\nregion = us-west-2\nendpoint_url = %s\naws_access_key_id = %s\naws_secret_access_key = %s\n",
		demoOwnKey, w.server.URL(), key.AccessKeyID, key.Secret)
	return errors.Join(err, f.Close())
}

// fill puts in what copies lose: tags, metadata, parts, empty markers, names that hurt.
func (w *demoWorld) fill() error {
	put := func(key, body string, o sandbox.PutOptions) error {
		return w.server.PutObject("tommy", key, []byte(body), o)
	}
	for i := range demoObjects - 6 {
		key := fmt.Sprintf("orders/2026/%02d/%05d.json", i%12+1, i)
		if err := put(key, strings.Repeat(fmt.Sprintf(`{"order":%d}`, i), i%40+1), sandbox.PutOptions{ContentType: "application/json"}); err != nil {
			return err
		}
	}
	return errors.Join(
		put("report.pdf", strings.Repeat("%PDF", 2000), sandbox.PutOptions{
			ContentType: "application/pdf", ContentDisposition: "attachment",
			Metadata: map[string]string{"author": "mister rodgers"}, Tags: map[string]string{"class": "audit", "year": "2026"},
		}),
		put("video.bin", strings.Repeat("0123456789abcdef", 12<<16), sandbox.PutOptions{PartSize: 5 << 20}),
		put("empty-folder/", "", sandbox.PutOptions{}),
		put("summer 2026/ünïcode + plus & percent %2F.txt", "hostile", sandbox.PutOptions{}),
		put("old/archive.tar", "cold", sandbox.PutOptions{StorageClass: "STANDARD_IA"}),
		put("a//b/../c", "dots", sandbox.PutOptions{}),
	)
}
