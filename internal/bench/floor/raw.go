package floor

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// CopyRaw copies every key once, without net/http and the SDK's signer: each worker writes its requests to a
// connection of its own, signs them in place, and reads the answers off it. It is what is
// left when a request is two system calls, three hashes and a little text; no retries, no TLS, no proxies.
func (c *Client) CopyRaw(ctx context.Context, keys Keys) error {
	var next atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for range c.InFlight {
		g.Go(func() error {
			w, err := c.dial(ctx)
			if err != nil {
				return err
			}
			defer w.conn.Close()
			for {
				i := int(next.Add(1)) - 1
				if i >= keys.Len() {
					return nil
				}
				if err := w.copy(c, keys.Key(i)); err != nil {
					return err
				}
			}
		})
	}
	return g.Wait()
}

// wire is one worker's connection and its buffers.
type wire struct {
	conn      net.Conn
	host      string
	in        *bufio.Reader
	out, text []byte
	key       hash.Hash // HMAC under the day's signing key
	day       string
	sum       [sha256.Size]byte
	body      []byte
}

func (c *Client) dial(ctx context.Context) (*wire, error) {
	host := strings.TrimPrefix(c.Endpoint, "http://")
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", host)
	if err != nil {
		return nil, err
	}
	return &wire{conn: conn, host: host, in: bufio.NewReaderSize(conn, 4<<10)}, nil
}

const (
	signedHeaders = "host;x-amz-content-sha256;x-amz-copy-source;x-amz-date"
	rawQuery      = "x-id=CopyObject"
)

// copy copies one key.
func (w *wire) copy(c *Client, key string) error {
	escaped := escape(key)
	path, source := "/"+c.Dest+"/"+escaped, c.Source+"/"+escaped
	stamp := time.Now().UTC().Format("20060102T150405Z")
	signature := w.sign(path, source, stamp)
	o := append(append(append(w.out[:0], "PUT "...), path...), "?"+rawQuery+" HTTP/1.1\r\nHost: "...)
	o = append(append(append(o, w.host...), "\r\nContent-Length: 0\r\nX-Amz-Content-Sha256: "+emptySHA256+"\r\nX-Amz-Copy-Source: "...), source...)
	o = append(append(o, "\r\nX-Amz-Date: "...), stamp...)
	o = append(append(o, "\r\nAuthorization: AWS4-HMAC-SHA256 Credential=null/"...), w.day...)
	o = append(append(o, "/"+region+"/s3/aws4_request, SignedHeaders="+signedHeaders+", Signature="...), signature...)
	w.out = append(o, "\r\n\r\n"...)
	if _, err := w.conn.Write(w.out); err != nil {
		return err
	}
	if err := w.answer(); err != nil {
		return fmt.Errorf("copy %q: %w", key, err)
	}
	return nil
}

// sign gives the signature of version 4 in hexadecimal digits.
func (w *wire) sign(path, source, stamp string) []byte {
	if w.key == nil || w.day != stamp[:8] {
		w.day = stamp[:8]
		k := []byte("AWS4null")
		for _, part := range []string{w.day, region, "s3", "aws4_request"} {
			h := hmac.New(sha256.New, k)
			h.Write([]byte(part))
			k = h.Sum(nil)
		}
		w.key = hmac.New(sha256.New, k)
	}
	t := append(append(append(w.text[:0], "PUT\n"...), path...), "\n"+rawQuery+"\nhost:"...)
	t = append(append(append(t, w.host...), "\nx-amz-content-sha256:"+emptySHA256+"\nx-amz-copy-source:"...), source...)
	t = append(append(append(t, "\nx-amz-date:"...), stamp...), "\n\n"+signedHeaders+"\n"+emptySHA256...)
	request := sha256.Sum256(t)
	t = append(append(append(t[:0], "AWS4-HMAC-SHA256\n"...), stamp...), '\n')
	t = append(append(t, w.day...), "/"+region+"/s3/aws4_request\n"...)
	w.text = hex.AppendEncode(t, request[:])
	w.key.Reset()
	w.key.Write(w.text)
	return hex.AppendEncode(nil, w.key.Sum(w.sum[:0]))
}

// answer reads an answer and looks for its ETag.
func (w *wire) answer() error {
	line, err := w.in.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(line, []byte("HTTP/1.1 200")) {
		return fmt.Errorf("status %q", line)
	}
	length := 0
	for {
		if line, err = w.in.ReadSlice('\n'); err != nil {
			return err
		}
		if len(line) <= 2 {
			break
		}
		if n, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(n))); err != nil {
				return err
			}
		}
	}
	w.body = append(w.body[:0], make([]byte, length)...)
	if _, err := io.ReadFull(w.in, w.body); err != nil {
		return err
	}
	if !bytes.Contains(w.body, []byte("<ETag>")) {
		return fmt.Errorf("no ETag in %q", w.body)
	}
	return nil
}
