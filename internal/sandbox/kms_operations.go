package sandbox

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A kmsOperation answers one operation; the result is encoded as JSON.
type kmsOperation func(q *kmsCall) (result any, err *apiError)

// A kmsCall is a call of KMS, with every parameter that an operation here takes.
type kmsCall struct {
	*call
	s    *Server
	acct *account // the caller's
	in   kmsInput
}

type kmsInput struct {
	KeyID                          string `json:"KeyId"`
	Description                    string
	Policy                         string
	BypassPolicyLockoutSafetyCheck bool
	Tags                           []kmsTag
	TagKeys                        []string
	AliasName                      string
	TargetKeyID                    string `json:"TargetKeyId"`
	PendingWindowInDays            int
	Name                           string
	GrantID                        string `json:"GrantId"`
	GrantToken                     string
	GranteePrincipal               string
	RetiringPrincipal              string
	Operations                     []string
	Constraints                    *grantConstraints
	DryRun                         bool
	Limit                          int
	Marker                         string
}

type kmsTag struct{ TagKey, TagValue string }

type grantConstraints struct {
	EncryptionContextEquals map[string]string `json:",omitempty"`
	EncryptionContextSubset map[string]string `json:",omitempty"`
}

func kmsOperations() map[string]kmsOperation {
	return map[string]kmsOperation{
		"CreateKey":           createKey,
		"DescribeKey":         describeKey,
		"ListKeys":            listKeys,
		"CreateAlias":         createAlias,
		"DeleteAlias":         deleteAlias,
		"ListAliases":         listAliases,
		"GetKeyPolicy":        getKeyPolicy,
		"PutKeyPolicy":        putKeyPolicy,
		"EnableKey":           setKeyState(keyEnabled),
		"DisableKey":          setKeyState(keyDisabled),
		"ScheduleKeyDeletion": scheduleKeyDeletion,
		"CancelKeyDeletion":   cancelKeyDeletion,
		"ListResourceTags":    listResourceTags,
		"CreateGrant":         createGrant,
		"ListGrants":          listGrants,
		"RevokeGrant":         revokeGrant,
		"RetireGrant":         retireGrant,
	}
}

func (s *Server) serveKMS(c *call) {
	do, known := s.kmsOps[c.target.Operation]
	if !known {
		s.fail(c, kmsError("UnknownOperationException", "The sandbox does not know "+c.target.Operation))
		return
	}
	q := &kmsCall{call: c, s: s, acct: s.accounts[c.caller.Account]}
	if err := json.Unmarshal(c.payload, &q.in); err != nil {
		s.fail(c, kmsError("SerializationException", "The request is no JSON that this operation takes"))
		return
	}
	result, err := do(q)
	if err != nil {
		s.fail(c, err)
		return
	}
	writeJSON(c, http.StatusOK, result)
}

func kmsError(code, message string) *apiError {
	return newError(http.StatusBadRequest, code, message)
}

func writeJSON(c *call, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		status, b = http.StatusInternalServerError, nil
	}
	c.w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	c.w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	c.w.WriteHeader(status)
	_, _ = c.w.Write(b)
}

func failJSON(c *call, e *apiError) {
	writeJSON(c, e.Status, map[string]string{"__type": e.Code, "message": e.Message})
}

// unix is how JSON protocols carry a time.
func unix(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// key finds the key that KeyId names, if the caller may do the operation at
// hand on it. own refuses keys of other accounts, for most operations.
func (q *kmsCall) key(own bool) (*kmsKey, *apiError) {
	name := q.in.KeyID
	k := q.s.findKMSKey(q.acct, q.region, name)
	if k == nil {
		if strings.HasPrefix(name, "alias/") {
			name = "arn:aws:kms:" + q.region + ":" + q.acct.id + ":" + name
			return nil, kmsError("NotFoundException", "Alias "+name+" is not found.")
		}
		return nil, kmsError("NotFoundException", "Key '"+name+"' does not exist")
	}
	action := "kms:" + q.target.Operation
	v := q.s.authorizeKey(q.call, k, action, nil, nil)
	switch {
	case !v.Allowed:
		return nil, kmsError("AccessDeniedException", v.Message)
	case own && k.account != q.acct:
		return nil, kmsError("AccessDeniedException", "User: "+q.caller.ARN+" is not authorized to perform: "+action+" on resource: "+k.arn)
	}
	return k, nil
}

// allow decides about operations that concern no key in particular.
func (q *kmsCall) allow() *apiError {
	v := q.s.authorize(q.call, "kms:"+q.target.Operation, "*", resourceAuth{Account: q.acct.id}, nil)
	if !v.Allowed {
		return kmsError("AccessDeniedException", v.Message)
	}
	return nil
}

// kmsPage cuts the asked page out of a whole list.
func kmsPage[T any](q *kmsCall, name string, all []T) (any, *apiError) {
	size := q.in.Limit
	if size <= 0 {
		size = defaultPage
	}
	from := 0
	if q.in.Marker != "" {
		n, err := strconv.Atoi(q.in.Marker)
		if err != nil || n < 0 || n > len(all) {
			return nil, kmsError("InvalidMarkerException", "Could not deserialize marker")
		}
		from = n
	}
	to := min(from+size, len(all))
	out := map[string]any{name: append([]T{}, all[from:to]...), "Truncated": to < len(all)}
	if to < len(all) {
		out["NextMarker"] = strconv.Itoa(to)
	}
	return out, nil
}
