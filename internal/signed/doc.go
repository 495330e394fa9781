// Package signed tells whether a file carries the signature of somebody who may give one.
//
// Signatures are those of ssh-keygen -Y sign: https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.sshsig.
// Who may sign is read from a file of the format ALLOWED SIGNERS of ssh-keygen(1): principals, options, key.
//
// It is stricter than ssh-keygen where a mistake would let somebody in: one line that cannot be read refuses the whole
// file. Certificates and lists of revoked keys are not supported: a line that is taken out is what revokes a key.
package signed
