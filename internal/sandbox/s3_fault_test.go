package sandbox

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

func TestA200CanCarryAnError(t *testing.T) {
	w := newS3World(t, smallParts())
	ctx, b := t.Context(), aws.String("tommy")
	w.bucket(SourceAccount, "tommy", BucketOptions{})
	w.object("k", "hello", PutOptions{})
	u := w.begin(t, &s3.CreateMultipartUploadInput{})
	u.part("hello", "")
	calls := map[string]func() error{
		"CopyObject": func() error { _, err := w.src.CopyObject(ctx, copyIn(func(*s3.CopyObjectInput) {})); return err },
		"UploadPartCopy": func() error {
			_, err := w.src.UploadPartCopy(ctx, &s3.UploadPartCopyInput{Bucket: b, Key: aws.String("k"), UploadId: u.id, PartNumber: aws.Int32(1), CopySource: aws.String("tommy/k")})
			return err
		},
		"CompleteMultipartUpload": func() error { _, err := u.complete(nil); return err },
	}
	for operation, call := range calls {
		remove := w.Inject(Fault{Operation: operation, Do: FaultErrorIn200, Code: "SlowDown"})
		if err := call(); errorCode(err) != "SlowDown" {
			t.Errorf("%s: %v, want SlowDown", operation, err)
		}
		remove()
	}
	if got := len(w.Objects("tommy")); got != 1 {
		t.Errorf("%d objects, want 1: the errors came instead of effects", got)
	}
	remove := w.Inject(Fault{Operation: "CopyObject", Do: FaultEmpty200, AfterEffect: true})
	defer remove()
	out, err := w.src.CopyObject(ctx, copyIn(func(*s3.CopyObjectInput) {}))
	if err != nil || out.CopyObjectResult != nil && out.CopyObjectResult.ETag != nil {
		t.Errorf("an empty 200: %v, %+v", err, out.CopyObjectResult)
	}
	if got := len(w.Objects("tommy")); got != 2 {
		t.Errorf("%d objects, want 2: the effect came before the empty answer", got)
	}
}

func TestATornAnswerLeavesItsEffect(t *testing.T) {
	w := newS3World(t, Config{})
	w.bucket(SourceAccount, "tommy", BucketOptions{})
	w.object("k", "hello", PutOptions{})
	for after, want := range map[bool]int{false: 1, true: 2} {
		remove := w.Inject(Fault{Operation: "CopyObject", Do: FaultTear, AfterEffect: after})
		_, err := w.src.CopyObject(t.Context(), copyIn(func(*s3.CopyObjectInput) {}))
		if err == nil {
			t.Error("a torn connection gave no error")
		}
		if got := len(w.Objects("tommy")); got != want {
			t.Errorf("after effect %v: %d objects, want %d", after, got, want)
		}
		w.RemoveObject("tommy", "copy")
		remove()
	}
}

func TestOnePrefixIsThrottledAlone(t *testing.T) {
	clock := newFakeClock()
	w := newS3World(t, Config{Clock: clock.Now})
	w.bucket(SourceAccount, "tommy", BucketOptions{})
	w.Inject(Fault{Operation: "PutObject", Do: FaultThrottle, PerSecond: 2})
	write := func(key string) error {
		_, err := w.src.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("tommy"), Key: &key})
		return err
	}
	wantAnswer(t, write("hot/1"), "")
	wantAnswer(t, write("hot/2"), "")
	wantAnswer(t, write("hot/3"), "SlowDown")
	wantAnswer(t, write("cold/1"), "")
	clock.advance(time.Second)
	wantAnswer(t, write("hot/3"), "")
}

func TestABucketPolicyTakesItsTime(t *testing.T) {
	clock := newFakeClock()
	w := newS3World(t, Config{Clock: clock.Now, Propagation: time.Minute})
	ctx, b := t.Context(), aws.String("tommy")
	w.bucket(SourceAccount, "tommy", BucketOptions{})
	text := bucketPolicy(`{"AWS":"210987654321"}`, `"s3:ListBucket"`, `"arn:aws:s3:::tommy"`, "")
	_, err := w.src.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: b, Policy: &text})
	wantAnswer(t, err, "")
	_, err = w.src.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: b})
	wantAnswer(t, err, "")
	list := func() error {
		_, err := w.dst.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: b})
		return err
	}
	wantAnswer(t, list(), "AccessDenied")
	clock.advance(time.Minute)
	wantAnswer(t, list(), "")
	_, err = w.src.DeleteBucketPolicy(ctx, &s3.DeleteBucketPolicyInput{Bucket: b})
	wantAnswer(t, err, "")
	wantAnswer(t, list(), "")
	clock.advance(time.Minute)
	wantAnswer(t, list(), "AccessDenied")
}

func TestAnnotationsAreCopiedUnlessExcluded(t *testing.T) {
	w := newS3World(t, Config{})
	ctx, b, k := t.Context(), aws.String("tommy"), aws.String("k")
	w.bucket(SourceAccount, "tommy", BucketOptions{})
	w.object("k", "hello", PutOptions{Annotations: map[string]string{"a": "1"}})
	_, err := w.src.PutObjectAnnotation(ctx, &s3.PutObjectAnnotationInput{Bucket: b, Key: k, AnnotationName: aws.String("b"), AnnotationPayload: strings.NewReader("2")})
	wantAnswer(t, err, "")
	list, err := w.src.ListObjectAnnotations(ctx, &s3.ListObjectAnnotationsInput{Bucket: b, Key: k})
	wantAnswer(t, err, "")
	if len(list.Annotations) != 2 || *list.Annotations[1].AnnotationName != "b" {
		t.Errorf("annotations %+v", list.Annotations)
	}
	_, err = w.src.CopyObject(ctx, copyIn(func(*s3.CopyObjectInput) {}))
	wantAnswer(t, err, "")
	if got := w.Objects("tommy")[0].Annotations; len(got) != 2 || got["b"] != "2" {
		t.Errorf("copied annotations %v", got)
	}
	plain, _ := w.user(SourceAccount, "plain", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"*"}]}`)
	_, err = plain.CopyObject(ctx, copyIn(func(*s3.CopyObjectInput) {}))
	wantAnswer(t, err, "AccessDenied")
	_, err = plain.CopyObject(ctx, copyIn(func(in *s3.CopyObjectInput) { in.AnnotationDirective = types.AnnotationDirectiveExclude }))
	wantAnswer(t, err, "")
	if got := w.Objects("tommy")[0].Annotations; len(got) != 0 {
		t.Errorf("excluded annotations %v came along", got)
	}
	_, err = w.src.DeleteObjectAnnotation(ctx, &s3.DeleteObjectAnnotationInput{Bucket: b, Key: k, AnnotationName: aws.String("a")})
	wantAnswer(t, err, "")
	_, err = w.src.GetObjectAnnotation(ctx, &s3.GetObjectAnnotationInput{Bucket: b, Key: k, AnnotationName: aws.String("a")})
	wantAnswer(t, err, "NoSuchAnnotation")
}
