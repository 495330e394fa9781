package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"os"

	"github.com/hiddeco/sshsig"
	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/crypto/ssh"
)

// The stories sign by a library, so that they need no ssh-keygen; test/signed_test.go holds the two together.

type keysKey struct{}

// sshKey makes a key and writes its public half: sshkey NAME writes NAME.pub.
func sshKey(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: sshkey NAME")
	}
	_, private, err := ed25519.GenerateKey(rand.Reader)
	ts.Check(err)
	key, err := ssh.NewSignerFromKey(private)
	ts.Check(err)
	ts.Value(keysKey{}).(map[string]ssh.Signer)[args[0]] = key
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".pub"), ssh.MarshalAuthorizedKey(key.PublicKey()), 0o600))
}

// sshSign is ssh-keygen -Y sign: sshsign NAME NAMESPACE FILE writes FILE.sig.
func sshSign(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: sshsign NAME NAMESPACE FILE")
	}
	key := ts.Value(keysKey{}).(map[string]ssh.Signer)[args[0]]
	sig, err := sshsig.Sign(bytes.NewReader([]byte(ts.ReadFile(args[2]))), key, sshsig.HashSHA512, args[1])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[2]+".sig"), sshsig.Armor(sig), 0o600))
}
