package signed

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"
)

// Namespace is that of saved plans: a signature that was made for anything else is none.
const Namespace = "xplan-plan"

// By is who signed.
type By struct {
	Principals string // as the file of allowed signers names them
	Key        string // "SHA256:…"
}

func (b By) String() string { return b.Principals + " (key " + b.Key + ")" }

// A RefusedError says why a signature is not one by somebody who may sign.
type RefusedError struct{ Why string }

func (e *RefusedError) Error() string { return e.Why }

func refuse(format string, args ...any) error { return &RefusedError{fmt.Sprintf(format, args...)} }

// Verify tells who signed the data. The signature is armored, as ssh-keygen -Y sign writes it. Every error is a
// *RefusedError.
func (a *Allowed) Verify(data, armored []byte, now time.Time) (By, error) {
	sig, err := sshsig.Unarmor(armored)
	if err != nil {
		return By{}, refuse("it is no SSH signature: %v", err)
	}
	if sig.Namespace != Namespace {
		return By{}, refuse("it was signed for %q: sign with ssh-keygen -Y sign -n %s", sig.Namespace, Namespace)
	}
	if _, certificate := sig.PublicKey.(*ssh.Certificate); certificate {
		return By{}, refuse("it was signed with a certificate, which is not supported: sign with a key")
	}
	by := By{Key: ssh.FingerprintSHA256(sig.PublicKey)}
	var reasons []string
	for _, s := range a.signers {
		if !bytes.Equal(s.key.Marshal(), sig.PublicKey.Marshal()) {
			continue
		}
		if why := s.may(Namespace, now); why != "" {
			reasons = append(reasons, why)
			continue
		}
		if err := sshsig.Verify(bytes.NewReader(data), sig, s.key, sig.HashAlgorithm, Namespace); err != nil {
			return By{}, refuse("it is not what was signed with key %s of %s: changed since, or the signature is another file's (%v)", by.Key, s.principals, err)
		}
		by.Principals = s.principals
		return by, nil
	}
	if len(reasons) > 0 {
		return By{}, refuse("it was signed with key %s: %s", by.Key, strings.Join(reasons, "; "))
	}
	return By{}, refuse("it was signed with key %s, which is nobody's who may sign", by.Key)
}
