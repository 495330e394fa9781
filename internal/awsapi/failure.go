package awsapi

import (
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"xplan/internal/compile"
	"xplan/internal/s3copy"
)

// A RequestError is a request that was refused, or that got no answer. It answers errors.Is for
// the errors of s3copy and compile and for the context's, and holds nothing of the request itself.
type RequestError struct {
	Doing     string // what was being done, to what: `copy object "k" to tommy-b`
	Code      string // the server's, or "" when nothing was answered
	Message   string
	RequestID string
	Status    int    // of HTTP, or 0
	Operation string // "s3:PutBucketPolicy"; "" where no request was made

	means []error
}

// Error says what was being done, to what, and why it failed.
func (e *RequestError) Error() string {
	var b strings.Builder
	b.WriteString(e.Doing)
	for _, part := range []string{e.Code, e.Message} {
		if part != "" {
			b.WriteString(": " + part)
		}
	}
	if e.RequestID != "" {
		b.WriteString(" (request " + e.RequestID + ")")
	}
	return b.String()
}

// Unwrap gives what the failure means.
func (e *RequestError) Unwrap() []error { return e.means }

// failed words an SDK error. The SDK's own error is dropped on purpose: it keeps the request with its
// signature. Held by TestErrorsHoldNoSecret.
func failed(err error, format string, args ...any) error {
	return explain(err, fmt.Sprintf(format, args...))
}

func explain(err error, doing string) *RequestError {
	e := &RequestError{Doing: doing}
	e.Code, e.Status, e.RequestID, e.Operation = clean(errorCode(err)), statusCode(err), clean(requestID(err)), operationOf(err)
	var api smithy.APIError
	var none *credentialsError
	switch {
	case errors.As(err, &api):
		e.Message = cleanMessage(e.Code, api.ErrorMessage())
		e.means = append(endOfContext(err), meanings(e.Code, api.ErrorMessage(), e.Status)...)
		if errors.Is(e, s3copy.ErrCustomerKey) {
			e.Message += " It is " + s3copy.ErrCustomerKey.Error() + ", which only they can read."
		}
	case errors.As(err, &none) && none.unanswered():
		e.Message = none.Error()
		e.means = append(endOfContext(err), compile.ErrUnavailable)
	case errors.As(err, &none):
		e.Message = none.Error()
		e.means = append(endOfContext(err), s3copy.ErrCredentials, compile.ErrCredentials)
	case errors.Is(err, s3copy.ErrEmptyAnswer):
		e.Message = s3copy.ErrEmptyAnswer.Error()
		e.means = append(endOfContext(err), s3copy.ErrEmptyAnswer)
	default:
		e.Message = clean(innermost(err).Error())
		if e.Status >= http.StatusBadRequest {
			e.Message = fmt.Sprintf("%d %s, for a reason that cannot be read", e.Status, http.StatusText(e.Status))
		}
		e.means = append(endOfContext(err), meaningsOfStatus(e.Status)...)
		if len(e.means) == 0 && (e.Status == 0 || unreadable(err)) {
			e.means = []error{compile.ErrUnavailable}
		}
	}
	if errors.As(err, &none) && none.doing != "" && e.Code != "" {
		e.Doing += ": " + none.doing
	}
	return e
}

// because adds a meaning that only the request can tell, such as which of two conditions failed.
func because(err error, meaning error) error {
	if e, ok := errors.AsType[*RequestError](err); ok {
		e.means = append([]error{meaning}, e.means...)
	}
	return err
}

// Asked is the operation that was asked for, as a permission is written: "iam:CreatePolicy". See runner's explanations.
func (e *RequestError) Asked() string { return e.Operation }

func operationOf(err error) string {
	var op *smithy.OperationError
	if !errors.As(err, &op) {
		return ""
	}
	return strings.ToLower(op.Service()) + ":" + op.Operation()
}

func statusCode(err error) int {
	var status interface{ HTTPStatusCode() int }
	if errors.As(err, &status) {
		return status.HTTPStatusCode()
	}
	return 0
}

func requestID(err error) string {
	var id interface{ ServiceRequestID() string }
	if errors.As(err, &id) {
		return id.ServiceRequestID()
	}
	return ""
}

// innermost skips the SDK's wrapping, which repeats what Doing says, and the request's URL.
func innermost(err error) error {
	for {
		var attempts *retry.MaxAttemptsError
		var operation *smithy.OperationError
		var address *url.Error
		switch {
		case errors.As(err, &address):
			return address.Err
		case errors.As(err, &operation) && operation.Err != nil:
			err = operation.Err
		case errors.As(err, &attempts) && attempts.Err != nil:
			err = attempts.Err
		default:
			return err
		}
	}
}

const longestMessage = 600

// cleanMessage cuts what some services add to a refusal: IAM's SignatureDoesNotMatch quotes the
// canonical request, session token and all.
func cleanMessage(code, message string) string {
	if strings.Contains(code, "Signature") {
		message, _, _ = strings.Cut(message, "\n")
		message, _, _ = strings.Cut(message, ". ")
	}
	return clean(message)
}

// clean makes a server's or the SDK's text one bounded line without signatures, tokens and credentials.
func clean(text string) string {
	text = withhold(strings.Join(strings.Fields(text), " "))
	if len(text) > longestMessage {
		text = strings.ToValidUTF8(text[:longestMessage], "") + "…"
	}
	return text
}

// withhold takes out what stands behind a secret's name, in whatever form a page, a program or a file has it; a session token
// without a name, by how all of them begin; what stands in front of the host in an address; all that a credential
// process printed, which the SDK quotes where it cannot read it; and, without any name, what looks drawn by lot.
func withhold(text string) string {
	for range 3 { // a page in an error in a page
		text = html.UnescapeString(text)
	}
	for _, w := range []struct{ form, rest string }{
		{`(process output:).*(, error:)`, "${1} [withheld]${2}"},
		{
			`(?i)((?:x-amz-|aws_?)?(?:x-amz-credential|signature|(?:security|session)[-_ ]?token|secret[-_ ]?(?:access[-_ ]?)?key|password))` +
				`(["'\s]*(?:=>|[=:>])\s*["']?)[^\s&"'<]+`, "${1}${2}[withheld]",
		},
		{`\b(?:IQoJ|FwoG|FQoG|AQoD)[A-Za-z0-9/+=_%\\-]{16,}`, "[withheld]"},
		{`(\w+://)[^\s"']*@`, "${1}[withheld]@"},
	} {
		text = regexp.MustCompile(w.form).ReplaceAllString(text, w.rest)
	}
	return regexp.MustCompile(`[A-Za-z0-9/+%\\]{40,}=*`).ReplaceAllStringFunc(text, func(run string) string {
		if drawnByLot(run) {
			return "[withheld]"
		}
		return run
	})
}

// drawnByLot tells whether the characters look drawn by lot, as those of a key, a token, a digest and their encodings are: letters,
// capitals, digits and signs follow each other, which words and paths do not do. Of 10,000 secret keys it misses two or so.
func drawnByLot(run string) bool {
	kind := func(c byte) int {
		switch {
		case 'a' <= c && c <= 'z':
			return 0
		case 'A' <= c && c <= 'Z':
			return 1
		case '0' <= c && c <= '9':
			return 2
		}
		return 3
	}
	changes := 0
	for i := 1; i < len(run); i++ {
		if kind(run[i]) != kind(run[i-1]) {
			changes++
		}
	}
	steps := strings.Count(run, "/") + strings.Count(run, `\`) - strings.Count(run, `\/`) // of a path
	return 3*changes >= len(run) && 10*steps < len(run)
}

// A credentialsError is a failure to get credentials, before any request of ours was sent.
type credentialsError struct {
	doing string // "assume role …", or "" for the SDK's chain
	hint  string // what to do
	err   error
}

// Error says what went wrong and what to do about it.
func (e *credentialsError) Error() string {
	text := clean(innermost(e.err).Error())
	if e.doing != "" {
		text = e.doing + ": " + text
	}
	if e.hint != "" {
		text += "; " + e.hint
	}
	return text
}

// Unwrap gives the cause.
func (e *credentialsError) Unwrap() error { return e.err }

// unanswered tells whether it was not the credentials that failed, but the request for them. The SDK's own chain also looks
// where nobody answers on most machines: what it says is always of the credentials.
func (e *credentialsError) unanswered() bool {
	var sent *smithyhttp.RequestSendError
	return e.doing != "" && (errors.As(e.err, &sent) || unreadable(e.err) || errors.Is(e.err, s3copy.ErrEmptyAnswer))
}

// unless turns the error into nil where it means what was wanted.
func unless(err, wanted error) error {
	if errors.Is(err, wanted) {
		return nil
	}
	return err
}

// emptyAnswer words a yes that told nothing.
func emptyAnswer(format string, args ...any) error {
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), s3copy.ErrEmptyAnswer)
}
