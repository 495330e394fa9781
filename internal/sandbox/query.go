package sandbox

import (
	"bytes"
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// The services, as signatures name them.
const (
	serviceS3  = "s3"
	serviceIAM = "iam"
	serviceSTS = "sts"
	serviceKMS = "kms"
	serviceEC2 = "ec2"
)

// maxPayload bounds the requests of every service but S3.
const maxPayload = 1 << 20

const (
	kmsTargetPrefix = "TrentService."
	formType        = "application/x-www-form-urlencoded"
)

// guessService finds the service: by the signature's scope, or for an unsigned
// request by what only some of them take.
func guessService(r *http.Request, sig *signature) string {
	if sig != nil {
		switch sig.service {
		case serviceIAM, serviceSTS, serviceKMS, serviceEC2:
			return sig.service
		}
		return serviceS3
	}
	switch {
	case r.Header.Get("X-Amz-Target") != "":
		return serviceKMS
	case r.Method == http.MethodPost && r.URL.Path == "/" && strings.HasPrefix(r.Header.Get("Content-Type"), formType):
		return serviceSTS
	}
	return serviceS3
}

// readPayload reads the whole request of a service other than S3, and with it
// the operation's name.
func (c *call) readPayload() *apiError {
	b, err := io.ReadAll(io.LimitReader(c.r.Body, maxPayload+1))
	if err != nil || len(b) > maxPayload {
		return newError(http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "Request size exceeded the limit")
	}
	c.payload = b
	c.body = bytes.NewReader(b)
	if c.target.Service == serviceKMS {
		c.target.Operation = strings.TrimPrefix(c.r.Header.Get("X-Amz-Target"), kmsTargetPrefix)
		c.target.Write = writes(c.target.Operation)
		return nil
	}
	form, err := url.ParseQuery(string(b))
	if err != nil {
		return newError(http.StatusBadRequest, "MalformedQueryString", "The query string contains a syntax error")
	}
	for k, v := range c.r.URL.Query() {
		form[k] = append(form[k], v...)
	}
	c.form = form
	c.target.Operation = form.Get("Action")
	c.target.Write = writes(c.target.Operation) && form.Get("DryRun") != "true"
	return nil
}

// writes reports whether an operation outside S3 changes anything.
func writes(operation string) bool {
	reads := []string{
		"Get", "List", "Describe", "Simulate", "AssumeRole",
		"Decrypt", "GenerateDataKey", "Encrypt", "ReEncrypt",
	}
	for _, prefix := range reads {
		if strings.HasPrefix(operation, prefix) {
			return false
		}
	}
	return true
}

// A queryCall is a call of the query protocol: IAM, STS or EC2.
type queryCall struct {
	*call
	s    *Server
	acct *account // the caller's
}

// A queryOperation answers one operation; the result is encoded as XML.
type queryOperation func(q *queryCall) (result any, err *apiError)

// empty is the result of an operation that answers nothing.
type empty struct{}

func (s *Server) serveQuery(c *call) {
	do, known := s.queries[c.target.Service][c.target.Operation]
	if !known {
		s.fail(c, newError(http.StatusBadRequest, "InvalidAction",
			"Could not find operation "+c.target.Operation+" for version "+c.form.Get("Version")))
		return
	}
	result, err := do(&queryCall{call: c, s: s, acct: s.accounts[c.caller.Account]})
	if err != nil {
		s.fail(c, err)
		return
	}
	writeQuery(c, result)
}

func queryNamespace(service string) string {
	switch service {
	case serviceIAM:
		return "https://iam.amazonaws.com/doc/2010-05-08/"
	case serviceSTS:
		return "https://sts.amazonaws.com/doc/2011-06-15/"
	default:
		return "http://ec2.amazonaws.com/doc/2016-11-15/"
	}
}

func writeQuery(c *call, result any) {
	var b bytes.Buffer
	op := c.target.Operation
	b.WriteString(xml.Header)
	b.WriteString("<" + op + `Response xmlns="` + queryNamespace(c.target.Service) + `">`)
	enc := xml.NewEncoder(&b)
	var err error
	if c.target.Service == serviceEC2 {
		b.WriteString("<requestId>" + c.id + "</requestId>")
		err = enc.Encode(result)
	} else {
		if _, nothing := result.(empty); !nothing {
			err = enc.EncodeElement(result, xml.StartElement{Name: xml.Name{Local: op + "Result"}})
		}
		b.WriteString("<ResponseMetadata><RequestId>" + c.id + "</RequestId></ResponseMetadata>")
	}
	b.WriteString("</" + op + "Response>")
	if err != nil {
		failQuery(c, newError(http.StatusInternalServerError, "InternalFailure", err.Error()))
		return
	}
	c.w.Header().Set("Content-Type", "text/xml;charset=UTF-8")
	c.w.Header().Set("Content-Length", strconv.Itoa(b.Len()))
	_, _ = c.w.Write(b.Bytes())
}

func failQuery(c *call, e *apiError) {
	type fields struct {
		Type    string `xml:",omitempty"`
		Code    string
		Message string
	}
	var doc any
	if c.target.Service == serviceEC2 {
		doc = struct {
			XMLName   xml.Name `xml:"Response"`
			Error     fields   `xml:"Errors>Error"`
			RequestID string
		}{Error: fields{Code: e.Code, Message: e.Message}, RequestID: c.id}
	} else {
		kind := "Sender"
		if e.Status >= http.StatusInternalServerError {
			kind = "Receiver"
		}
		doc = struct {
			XMLName   xml.Name `xml:"ErrorResponse"`
			Error     fields
			RequestID string `xml:"RequestId"`
		}{Error: fields{Type: kind, Code: e.Code, Message: e.Message}, RequestID: c.id}
	}
	b, err := xml.Marshal(doc)
	if err != nil {
		b = nil
	}
	c.w.Header().Set("Content-Type", "text/xml")
	c.w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	c.w.WriteHeader(e.Status)
	_, _ = c.w.Write(b)
}
