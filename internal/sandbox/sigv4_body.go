package sandbox

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"
)

const (
	streamSigned          = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
	streamSignedTrailer   = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
	streamUnsignedTrailer = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
	emptyHash             = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	maxChunkLine          = 1024
)

// A hashedBody checks the payload's signed hash at its end.
type hashedBody struct {
	from io.Reader
	hash hash.Hash
	want string
}

// Read implements io.Reader.
func (b *hashedBody) Read(p []byte) (int, error) {
	n, err := b.from.Read(p)
	b.hash.Write(p[:n])
	if errors.Is(err, io.EOF) {
		got := hex.EncodeToString(b.hash.Sum(nil))
		if got != b.want {
			e := newError(http.StatusBadRequest, "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed.")
			e.Fields = map[string]string{"ClientComputedContentSHA256": b.want, "S3ComputedContentSHA256": got}
			return n, e
		}
	}
	return n, err
}

// A chunkedBody undoes the aws-chunked framing:
//
//	HEX[;chunk-signature=SIG] CRLF data CRLF … 0[;chunk-signature=SIG] CRLF
//	[name:value CRLF …] [x-amz-trailer-signature:SIG CRLF] CRLF
type chunkedBody struct {
	c       *call
	from    *bufio.Reader
	signing []byte // nil where chunks are not signed
	trailer bool   // a trailer is announced
	before  string // the signature of the chunk before
	left    int64  // of the chunk at hand
	total   int64  // read so far
	want    string // the signature of the chunk at hand
	hash    hash.Hash
	err     error // sticky
}

// prepareChunks puts the unframing reader in place.
func (c *call) prepareChunks(signing []byte, mode string) *apiError {
	b := &chunkedBody{c: c, from: bufio.NewReader(c.r.Body), hash: sha256.New()}
	switch mode {
	case streamUnsignedTrailer:
		b.trailer = true
	case streamSigned, streamSignedTrailer:
		if signing == nil {
			return newError(http.StatusForbidden, "AccessDenied", "Access Denied")
		}
		b.signing, b.before, b.trailer = signing, c.sig.value, mode == streamSignedTrailer
	default:
		return newError(http.StatusNotImplemented, "NotImplemented", "The payload's signing method is not implemented")
	}
	size, err := strconv.ParseInt(c.r.Header.Get("X-Amz-Decoded-Content-Length"), 10, 64)
	if err != nil || size < 0 {
		return newError(http.StatusLengthRequired, "MissingContentLength", "You must provide the Content-Length HTTP header.")
	}
	c.size = size
	c.trailer = map[string]string{}
	c.body = b
	return nil
}

func incompleteBody() *apiError {
	return newError(http.StatusBadRequest, "IncompleteBody", "The request body terminated unexpectedly")
}

// Read implements io.Reader.
func (b *chunkedBody) Read(p []byte) (int, error) {
	if b.err == nil && b.left == 0 {
		b.err = b.nextChunk()
	}
	if b.err != nil {
		return 0, b.err
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.from.Read(p)
	b.hash.Write(p[:n])
	b.left -= int64(n)
	b.total += int64(n)
	switch {
	case err != nil:
		b.err = incompleteBody()
	case b.left == 0:
		b.err = b.endChunk()
	}
	return n, b.err
}

// line reads up to CRLF.
func (b *chunkedBody) line() (string, error) {
	text, err := b.from.ReadString('\n')
	if err != nil || len(text) > maxChunkLine {
		return "", incompleteBody()
	}
	return strings.TrimRight(text, "\r\n"), nil
}

// nextChunk reads a chunk's head; after the last chunk also the trailer, and
// then answers io.EOF.
func (b *chunkedBody) nextChunk() error {
	head, err := b.line()
	if err != nil {
		return err
	}
	size, extension, _ := strings.Cut(head, ";")
	b.left, err = strconv.ParseInt(size, 16, 64)
	if err != nil || b.left < 0 {
		return incompleteBody()
	}
	b.want = strings.TrimPrefix(extension, "chunk-signature=")
	b.hash.Reset()
	if b.left > 0 {
		return nil
	}
	if e := b.checkChunk(); e != nil {
		return e
	}
	if e := b.readTrailer(); e != nil {
		return e
	}
	if b.total != b.c.size {
		return incompleteBody()
	}
	return io.EOF
}

// endChunk checks a chunk's signature, and the line break after its data.
func (b *chunkedBody) endChunk() error {
	rest, err := b.line()
	if err != nil || rest != "" {
		return incompleteBody()
	}
	if e := b.checkChunk(); e != nil {
		return e
	}
	return nil
}

func (b *chunkedBody) checkChunk() error {
	if b.signing == nil {
		return nil
	}
	g := b.c.sig
	text := "AWS4-HMAC-SHA256-PAYLOAD\n" + g.amzDate + "\n" + g.scope() + "\n" + b.before + "\n" + emptyHash + "\n" +
		hex.EncodeToString(b.hash.Sum(nil))
	return b.check(text, b.want)
}

func (b *chunkedBody) check(text, got string) error {
	want := hex.EncodeToString(hmacSHA256(b.signing, text))
	if !hmac.Equal([]byte(want), []byte(got)) {
		return authError(b.c, wrongSignature)
	}
	b.before = want
	return nil
}

// readTrailer reads the lines after the last chunk.
func (b *chunkedBody) readTrailer() error {
	var signed strings.Builder
	var got string
	for {
		text, err := b.line()
		if err != nil {
			return err
		}
		if text == "" {
			break
		}
		name, value, _ := strings.Cut(text, ":")
		name, value = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
		if name == "x-amz-trailer-signature" {
			got = value
			continue
		}
		b.c.trailer[name] = value
		signed.WriteString(name + ":" + value + "\n")
	}
	if b.signing == nil || !b.trailer {
		return nil
	}
	sum := sha256.Sum256([]byte(signed.String()))
	g := b.c.sig
	return b.check("AWS4-HMAC-SHA256-TRAILER\n"+g.amzDate+"\n"+g.scope()+"\n"+b.before+"\n"+hex.EncodeToString(sum[:]), got)
}
