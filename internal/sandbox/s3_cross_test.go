package sandbox

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

func TestACopyOfAnotherAccountsKeyNeedsAGrant(t *testing.T) {
	w := newS3World(t, Config{})
	ctx := t.Context()
	key, err := w.AddKMSKey(SourceAccount, defaultRegion, "")
	if err != nil {
		t.Fatal(err)
	}
	w.bucket(SourceAccount, "tommy", BucketOptions{})
	w.bucket(DestinationAccount, "tommy-b", BucketOptions{})
	w.object("k", "hello", PutOptions{Encryption: sseKMS, KMSKey: key})
	user, arn := w.user(DestinationAccount, "misterrodgers", allowAll("s3:*"))
	if err := w.SetBucketPolicy("tommy", bucketPolicy(`{"AWS":"`+arn+`"}`, `"s3:GetObject"`, `"arn:aws:s3:::tommy/*"`, "")); err != nil {
		t.Fatal(err)
	}
	dup := func() error {
		_, err := user.CopyObject(ctx, &s3.CopyObjectInput{Bucket: aws.String("tommy-b"), Key: aws.String("k"), CopySource: aws.String("tommy/k")})
		return err
	}
	wantAnswer(t, dup(), "AccessDenied")
	_, err = admin(t, w.Server, SourceAccount).kms.CreateGrant(ctx, &kms.CreateGrantInput{
		KeyId: &key, GranteePrincipal: &arn, Operations: []kmstypes.GrantOperation{kmstypes.GrantOperationDecrypt},
	})
	wantAnswer(t, err, "")
	wantAnswer(t, dup(), "AccessDenied") // the user's own policy does not allow it yet
	if err := w.PutInlinePolicy(arn, "decrypt", allowAll("kms:Decrypt")); err != nil {
		t.Fatal(err)
	}
	wantAnswer(t, dup(), "")
	if got := w.Objects("tommy-b"); len(got) != 1 || got[0].Encryption != sseAES256 {
		t.Errorf("copied %+v", got)
	}
}

func TestTheManagedKeyStaysInItsAccount(t *testing.T) {
	w := newS3World(t, Config{})
	w.bucket(SourceAccount, "tommy", BucketOptions{Encryption: sseKMS})
	w.bucket(DestinationAccount, "tommy-b", BucketOptions{})
	put(t, w.src, "tommy", "k", "hello")
	if err := w.SetBucketPolicy("tommy", bucketPolicy(`{"AWS":"210987654321"}`, `"s3:GetObject"`, `"arn:aws:s3:::tommy/*"`, "")); err != nil {
		t.Fatal(err)
	}
	if got := get(t, w.src, "tommy", "k"); got != "hello" {
		t.Errorf("the owner reads %q", got)
	}
	_, err := w.dst.CopyObject(t.Context(), &s3.CopyObjectInput{Bucket: aws.String("tommy-b"), Key: aws.String("k"), CopySource: aws.String("tommy/k")})
	wantAnswer(t, err, "AccessDenied")
}

func TestAListingSeesEveryKeyThatStaysWhileOthersCome(t *testing.T) {
	w := newS3World(t, Config{})
	ctx, b := t.Context(), aws.String("tommy")
	w.bucket(SourceAccount, "tommy", BucketOptions{})
	for i := range 3000 {
		w.object(fmt.Sprintf("stay/%04d", i), "x", PutOptions{})
	}
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for worker := range 4 {
		wg.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				key := fmt.Sprintf("stay/%04d+%d", i*37%3000, worker)
				_, err := w.src.CopyObject(ctx, &s3.CopyObjectInput{Bucket: b, Key: &key, CopySource: aws.String("tommy/stay/0000")})
				if err == nil && i%2 == 0 {
					_, err = w.src.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: b, Key: &key})
				}
				if err != nil && ctx.Err() == nil {
					t.Errorf("copy or delete %s: %v", key, err)
					return
				}
			}
		})
	}
	for range 3 {
		n := 0
		for _, key := range allKeys(t.Context(), t, w.src, &s3.ListObjectsV2Input{Bucket: b, MaxKeys: aws.Int32(250)}) {
			if !strings.Contains(key, "+") {
				n++
			}
		}
		if n != 3000 {
			t.Errorf("a listing saw %d of 3000 keys", n)
		}
	}
	cancel()
	wg.Wait()
}

func TestTrailingChecksumsAreHeldAgainstTheBody(t *testing.T) {
	w := newS3World(t, Config{})
	w.bucket(SourceAccount, "tommy", BucketOptions{})
	id, secret := w.Admin(SourceAccount)
	send := func(sum string) int {
		body := "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:" + sum + "\r\n\r\n"
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, w.URL()+"/tommy/k", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		const hash = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
		for k, v := range map[string]string{
			"Content-Encoding": "gzip,aws-chunked", "X-Amz-Decoded-Content-Length": "5", "X-Amz-Trailer": "x-amz-checksum-crc32", "X-Amz-Content-Sha256": hash,
		} {
			req.Header.Set(k, v)
		}
		creds := aws.Credentials{AccessKeyID: id, SecretAccessKey: secret}
		if err := v4.NewSigner().SignHTTP(t.Context(), creds, req, hash, "s3", defaultRegion, time.Now()); err != nil {
			t.Fatal(err)
		}
		tr := &http.Transport{}
		defer tr.CloseIdleConnections()
		res, err := tr.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		return res.StatusCode
	}
	if got := send("AAAAAA=="); got != http.StatusBadRequest {
		t.Errorf("a wrong trailer answers %d, want 400", got)
	}
	if got := send("NhCmhg=="); got != http.StatusOK {
		t.Errorf("a right trailer answers %d, want 200", got)
	}
	o := w.Objects("tommy")
	if len(o) != 1 || o[0].MD5 != "5d41402abc4b2a76b9719d911017c592" || o[0].ChecksumAlgorithm != "CRC32" || o[0].ContentEncoding != "gzip" {
		t.Errorf("stored %+v", o)
	}
}
