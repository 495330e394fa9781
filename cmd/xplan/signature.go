package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"xplan/internal/saved"
	"xplan/internal/signed"
	"xplan/state"
)

const (
	signersFlag     = "allowed-signers"
	signersVariable = "XPLAN_ALLOWED_SIGNERS"
)

func addSigners(cmd *cobra.Command) {
	cmd.Flags().String(signersFlag, "", "refuse a saved plan without the signature F.sig of somebody in this file (ssh-keygen's allowed signers)")
}

// A demand is a file of those who may sign. Nil demands no signature.
type demand struct {
	path    string
	allowed *signed.Allowed
}

// demanded reads who may sign: from the file that the flag names, or else the environment, where that counts.
func demanded(cmd *cobra.Command, environment bool) (*demand, error) {
	name, path := "--"+signersFlag, ""
	if f := cmd.Flags().Lookup(signersFlag); f != nil && f.Changed {
		path = f.Value.String()
	} else {
		value, set := os.LookupEnv(signersVariable)
		if !set || !environment {
			return nil, nil
		}
		name, path = signersVariable, value
	}
	if path == "" { // a variable that a pipeline fails to fill must not switch the demand off
		return nil, &usageError{fmt.Errorf("%s is empty: name a file, or leave it out", name)}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, &usageError{fmt.Errorf("%s: %w", name, err)}
	}
	allowed, err := signed.ParseAllowed(data)
	if err != nil {
		return nil, &usageError{fmt.Errorf("%s: %s: %w", name, path, err)}
	}
	return &demand{path, allowed}, nil
}

// signer tells who signed a saved plan; "" where nobody has to.
func (d *demand) signer(path string, data []byte) (string, error) {
	if d == nil {
		return "", nil
	}
	sig, err := readSignature(path + ".sig")
	if errors.Is(err, fs.ErrNotExist) {
		q := shellQuote(path)
		return "", &refusedError{fmt.Sprintf("%s is not signed: there is no %s.sig. Somebody of %s signs with:\n  ssh-keygen -Y sign -n %s -f KEY %s", path, path, d.path, signed.Namespace, q)}
	}
	if err != nil {
		return "", &refusedError{fmt.Sprintf("the signature of %s cannot be read: %v", path, err)}
	}
	by, err := d.allowed.Verify(data, sig, time.Now())
	if err != nil {
		return "", &refusedError{fmt.Sprintf("the signature %s.sig is refused: %v (%s tells who may sign)", path, err, d.path)}
	}
	return by.String(), nil
}

// readSignature reads what cannot be long.
func readSignature(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, 64<<10))
}

// refusePlanFile refuses a plan file where only signed saved plans are applied.
func (d *demand) refusePlanFile(path string) error {
	if d == nil {
		return nil
	}
	q := shellQuote(path)
	return &refusedError{fmt.Sprintf("%s is no saved plan, and here only those are applied that somebody of %s has signed:\n  xplan plan %s -o F && ssh-keygen -Y sign -n %s -f KEY F", path, d.path, q, signed.Namespace)}
}

// refuseRun refuses to go on with a run that no saved plan has started. The signature of one that a saved plan
// has started was a matter of its start.
func (d *demand) refuseRun(run state.Run) error {
	if d == nil || run.Approval != "" || isCleanup(run) {
		return nil
	}
	return &refusedError{fmt.Sprintf("run %s was not started by a saved plan, and here only those are applied that somebody of %s has signed", run.ID, d.path)}
}

// readSaved reads a saved plan. Its signature, where one is demanded, comes before all else.
func readSaved(path string, d *demand) (savedFile, error) {
	data, err := saved.ReadFile(path)
	if err != nil {
		return savedFile{}, &usageError{err}
	}
	by, err := d.signer(path, data)
	if err != nil {
		return savedFile{}, err
	}
	s, err := saved.Decode(data)
	if err != nil {
		return savedFile{}, &usageError{fmt.Errorf("%s: %w", path, err)}
	}
	return savedFile{Plan: s, path: path, signer: by}, nil
}
