package awsapi

import (
	"bytes"
	"io"
	"net/http"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Of buffers for answers.
const (
	firstBuffer  = 4 << 10
	mostBuffered = 16 << 20 // of one answer; what is longer the SDK reads on
	mostKept     = 2 << 20  // a page of 1,000 keys is a quarter of that
)

// buffers are used again for the next answers. Safe for concurrent use.
type buffers struct{ pool sync.Pool }

// A reply is what came back to a question: an answer, or an error instead of one.
type reply struct {
	response *http.Response
	err      error // no answer came
	body     []byte
	rest     io.ReadCloser // what follows the body: nothing, the error that ended it, or what is too long
	from     *buffers
}

// read reads an answer's body. A redirection that the SDK's client follows is not the lane's: then nil.
func (b *buffers) read(response *http.Response) *reply {
	r := &reply{response: response, from: b}
	switch response.StatusCode {
	case http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		_ = response.Body.Close() // nobody wants it
		return nil
	}
	if response.Request.Method == http.MethodHead || response.ContentLength == 0 {
		_ = response.Body.Close() // it is empty
		return r
	}
	if kept, ok := b.pool.Get().(*[]byte); ok {
		r.body = (*kept)[:0]
	}
	r.grow(int(min(max(response.ContentLength+1, firstBuffer), mostBuffered)))
	for len(r.body) < mostBuffered {
		r.grow(1)
		n, err := response.Body.Read(r.body[len(r.body):cap(r.body)])
		r.body = r.body[:len(r.body)+n]
		if err == nil {
			continue
		}
		_ = response.Body.Close() // it has ended
		if err != io.EOF {
			r.rest = io.NopCloser(broken{err})
		}
		return r
	}
	r.rest = response.Body
	return r
}

// grow makes room for n more bytes.
func (r *reply) grow(n int) {
	if cap(r.body)-len(r.body) < n {
		bigger := make([]byte, len(r.body), max(len(r.body)+n, 2*cap(r.body)))
		copy(bigger, r.body)
		r.body = bigger
	}
}

// broken is a body that ended in an error.
type broken struct{ err error }

// Read gives the error.
func (b broken) Read([]byte) (int, error) { return 0, b.err }

// yes tells whether the whole answer came, and says that it was done.
func (r *reply) yes() bool {
	return r != nil && r.err == nil && r.rest == nil && r.response.StatusCode == http.StatusOK
}

// part tells of a yes to a question about a part.
func (r *reply) part() bool {
	return r != nil && r.err == nil && r.rest == nil && r.response.StatusCode == http.StatusPartialContent
}

// release gives the buffer back. What was made of the reply must not point into it.
func (r *reply) release() {
	if r == nil || r.response == nil {
		return
	}
	if r.rest != nil {
		_ = r.rest.Close() // what was read is all that is wanted
	}
	if body := r.body; r.from != nil && body != nil && cap(body) <= mostKept {
		r.from.pool.Put(&body)
	}
}

// judge has the SDK take the reply for the answer to its first attempt. Without a reply it asks by itself.
func (r *reply) judge(o *s3.Options) {
	if r != nil {
		o.HTTPClient = &replay{reply: r, then: o.HTTPClient}
	}
}

// A replay is the HTTP client of one operation: the first answer is there already.
type replay struct {
	reply *reply
	then  aws.HTTPClient
}

// Do gives the reply, and from then on sends requests.
func (p *replay) Do(request *http.Request) (*http.Response, error) {
	r := p.reply
	if p.reply = nil; r == nil {
		return p.then.Do(request)
	}
	if r.err != nil {
		return nil, r.err
	}
	response := *r.response
	response.Request = request
	body := io.Reader(bytes.NewReader(r.body))
	if r.rest != nil {
		body = io.MultiReader(body, r.rest)
	}
	response.Body = io.NopCloser(body)
	return &response, nil
}

// header gives an answer's header.
func (r *reply) header(name string) string { return r.response.Header.Get(name) }
