package test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// A tree is files of mixed sizes below one folder: most of them small, some empty, two large.
type tree struct {
	files int
	large int64 // bytes of each of the two
}

// treeOf is what XPLAN_TEST_TREE asks for.
func treeOf(t *testing.T) tree {
	t.Helper()
	switch size := os.Getenv("XPLAN_TEST_TREE"); size {
	case "", "small":
		return tree{files: 1000, large: 300 << 20}
	case "whole":
		return tree{files: 20_000, large: 3 << 30}
	default:
		t.Fatalf("XPLAN_TEST_TREE is %q, not small or whole", size)
		return tree{}
	}
}

const (
	treeMost  = 1 << 20   // bytes of a small file
	treeParts = 128 << 20 // bytes of a part of a large one
	treeSeed  = 20261124
)

// names gives the files' keys, and the size of each.
func (tr tree) names() map[string]int64 {
	dice := rand.New(rand.NewPCG(treeSeed, 1))
	all := map[string]int64{}
	for i := range tr.files {
		size := int64(math.Exp(dice.Float64()*math.Log(treeMost))) - 1 // as many between 1 and 1,000 bytes as above
		all[fmt.Sprintf("%c/%02d/file %05d é+%%.bin", 'a'+i%7, i%50, i)] = size
	}
	all["large/one.bin"], all["large/two.bin"] = tr.large, tr.large+12_345
	return all
}

// grow writes the tree, and gives the digest of each file.
func (tr tree) grow(t *testing.T, dir string) map[string][sha256.Size]byte {
	t.Helper()
	digests := map[string][sha256.Size]byte{}
	for key, size := range tr.names() {
		path := filepath.Join(dir, key)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		h := sha256.New()
		_, err = io.CopyN(io.MultiWriter(f, h), rand.NewChaCha8(sha256.Sum256([]byte(key))), size)
		if err = errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
		digests[key] = [sha256.Size]byte(h.Sum(nil))
	}
	return digests
}

// upload puts the tree into a bucket, its large files by parts.
func (tr tree) upload(t *testing.T, s side, dir, bucket string) {
	t.Helper()
	keys := make(chan string)
	var hands sync.WaitGroup
	for range 8 {
		hands.Go(func() {
			for key := range keys {
				if err := putFile(t.Context(), s, filepath.Join(dir, key), bucket, key); err != nil {
					t.Errorf("upload %q: %v", key, err)
				}
			}
		})
	}
	for key := range tr.names() {
		keys <- key
	}
	close(keys)
	hands.Wait()
	if t.Failed() {
		t.FailNow()
	}
}

func putFile(ctx context.Context, s side, path, bucket, key string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Size() <= treeParts {
		_, err := s.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: f})
		return err
	}
	up, err := s.s3.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: &bucket, Key: &key, ChecksumAlgorithm: types.ChecksumAlgorithmCrc32})
	if err != nil {
		return err
	}
	var parts []types.CompletedPart
	for from := int64(0); from < info.Size(); from += treeParts {
		n := aws.Int32(int32(len(parts) + 1))
		p, err := s.s3.UploadPart(ctx, &s3.UploadPartInput{
			Bucket: &bucket, Key: &key, UploadId: up.UploadId, PartNumber: n, ChecksumAlgorithm: types.ChecksumAlgorithmCrc32,
			Body: io.NewSectionReader(f, from, min(treeParts, info.Size()-from)),
		})
		if err != nil {
			return err
		}
		parts = append(parts, types.CompletedPart{PartNumber: n, ETag: p.ETag, ChecksumCRC32: p.ChecksumCRC32})
	}
	_, err = s.s3.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{
		Bucket: &bucket, Key: &key, UploadId: up.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts},
	})
	return err
}

// sameOnDisk reads the files that the server keeps of a bucket, and compares the digests.
func sameOnDisk(t *testing.T, folder string, want map[string][sha256.Size]byte) {
	t.Helper()
	seen := 0
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		key, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		h := sha256.New()
		if _, err := io.Copy(h, f); err != nil {
			return err
		}
		seen++
		if sum, known := want[key]; !known || sum != [sha256.Size]byte(h.Sum(nil)) {
			t.Errorf("%q: known %t, and its bytes differ", key, known)
		}
		return nil
	})
	if err != nil || seen != len(want) {
		t.Errorf("the server keeps %d files, want %d; %v", seen, len(want), err)
	}
}

// TestATreeOfFilesArrivesByteForByte copies real bytes, killed without warning on the way, and copies none again.
func TestATreeOfFilesArrivesByteForByte(t *testing.T) {
	for _, s := range among(versitygwName) {
		tr, w := treeOf(t), s.start(t)
		dir := t.TempDir()
		began := time.Now()
		lap := func(what string) {
			t.Logf("%s: %.1f s", what, time.Since(began).Seconds())
			began = time.Now()
		}
		digests := tr.grow(t, dir)
		source, destination := w.bucket(t, w.source, "tree"), name("tree-b")
		w.removeAfter(t, w.destination, destination)
		tr.upload(t, w.source, dir, source)
		w.share(t, source)
		lap("the tree is grown and uploaded")

		eye := watch(t, w.url)
		text := compatiblePlan(w, eye.url, eye.url, source, destination)
		p := newProgram(t, strings.Replace(text, "in_flight: 8", "in_flight: 32", 1), w.config)
		p.limit = 15 * time.Minute
		r := &recipe{program: p, world: w, witness: eye, bucket: source, copy: destination}
		r.killed(t, moment{request: tr.files / 2, reaches: true})
		lap("half of it is copied, and the program killed")
		p.must(t, "resume")
		lap("the rest is copied")
		sameOnDisk(t, filepath.Join(workDir, versitygwName, "data", destination), digests)
		lap("all files are compared with the source's on disk")

		all, mark := eye.requests(0)
		copies, parts := count(all, "CopyObject"), count(all, "UploadPartCopy")
		t.Logf("%d files, two of them of %d MiB: %d copies, %d part copies", len(digests), tr.large>>20, copies, parts)
		if copies > tr.files+32 {
			t.Errorf("%d files took %d copies: more than the 32 in flight were copied again", tr.files, copies)
		}
		got := p.must(t, "apply", p.plan, "--yes")
		again, _ := eye.requests(mark)
		for _, x := range again {
			if x.changes() {
				t.Errorf("applied again, it asked for %s %s", x.action, x.path)
			}
		}
		if !strings.Contains(got.out, "No changes") {
			t.Errorf("applied again: %s", got)
		}
		lap(fmt.Sprintf("applied again, by %d requests", len(again)))
	}
}
