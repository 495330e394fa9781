package sandbox

// An account is one AWS account.
type account struct {
	id, name, region string
	canonicalID      string // as S3 names the owner: 64 hexadecimal digits
}

type user struct{}

type session struct{}

// accountOf finds an account; nil where there is none of that ID.
func (s *Server) accountOf(id string) *account { return nil }
