package plan_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"xplan/plan"
)

// Made up, in the forms of real ones; put together here so that no scanner of
// repositories takes this file for a leak.
var (
	keyID    = "AKIA" + "Q3EGRIWXOTZ5PLM7"
	secret   = "wJalrXUtnFEMI/K7MDENG/" + "bPxRfiCYzQw3rT9kLm"
	token    = "IQoJb3JpZ2luX2Vj" + strings.Repeat("aB3/xY9+", 40)
	password = "corr" + "ect7horse"
	hook     = "https://hooks.slack" + ".com/services/T0001/B0002/abcdefGHIJ"
)

// leaking is what a refused file says, in every form.
func leaking(tb testing.TB, name, text string) (all *plan.Problems, said string) {
	tb.Helper()
	_, err := plan.Parse(name, []byte(text))
	if !errors.As(err, &all) {
		tb.Fatalf("Parse(%q) = %v, want problems", text, err)
	}
	data, err := json.Marshal(all)
	if err != nil {
		tb.Fatal(err)
	}
	return all, all.Error() + string(data)
}

func TestSecretsAreRefusedByPlaceAndKindAndNeverRepeated(t *testing.T) {
	broken := "version: 1\nname: [\n"
	for _, c := range []struct {
		name, text, secret, want string
	}{
		{"key ID in a comment", sound + "# was " + keyID + "\n", keyID, "12:7: the plan holds an AWS access key ID"},
		{"key ID as a value", with("profile: a", "profile: "+keyID), keyID, "4:41: the plan holds an AWS access key ID"},
		{"key ID as a name", sound + keyID + ": x\n", keyID, "12:1: the plan holds an AWS access key ID"},
		{"key ID in an enum", sound + "copy: {compare: " + keyID + "}\n", keyID, "12:17: the plan holds an AWS access key ID"},
		{"key ID by escapes", sound + `"\x41KIA` + keyID[4:] + "\": x\n", keyID[4:], "12:1: the plan holds an AWS access key ID"},
		{"key ID over two lines", sound + "notify: {webhook_env: \"AKIA\\\n  " + keyID[4:] + "\"}\n", keyID[4:], "12:23: the plan holds an AWS access key ID"},
		{"secret beside its name", sound + "aws_secret_access_key: " + secret + "\n", secret, "12:24: the plan holds an AWS secret access key"},
		{"secret in a comment", sound + "# AWS_SECRET_ACCESS_KEY=" + secret + "\n", secret, "12:25: the plan holds an AWS secret access key"},
		{"secret below its name", sound + "secret_key:\n  " + secret + "\n", secret, "13:3: the plan holds an AWS secret access key"},
		{"secret in a block", sound + "secret_key: |\n  " + secret + "\n", secret, "13:3: the plan holds an AWS secret access key"},
		{"secret after the key ID", sound + "# " + keyID + "\n# " + secret + "\n", secret, "13:3: the plan holds an AWS secret access key"},
		{"secret by its look", sound + "copy: {compare: " + secret + "}\n", secret, "12:17: copy.compare cannot be \"[REDACTED]\""},
		{"session token", sound + "session_token: " + token + "\n", token, "12:16: the plan holds an AWS session token"},
		{"session token by its look", sound + "x: " + token + "\n", token, "12:4: the plan holds an AWS session token"},
		{"password by its name", sound + "password: " + password + "\n", password, "12:11: the plan holds a secret, by its name"},
		{"password in a list", sound + "passwords: [abcdefgh, " + password + "]\n", password, "12:13: the plan holds a secret, by its name"},
		{"password of another type", sound + "name_token: 123456789\n", "123456789", "12:13: the plan holds a secret, by its name"},
		{"password elsewhere too", sound + "password: &p " + password + "\ncopy: {compare: *p}\n", password, "12:11: the plan holds a secret, by its name"},
		{"password by an alias", sound + "copy: {compare: &p " + password + "}\npassword: *p\n", password, "12:17: the plan holds a secret, by its name"},
		{"password in a URL", with(id, id+"endpoint_url: 'https://me:"+password+"@host', "), password, "4:47: the plan holds a password in a URL"},
		{"password in a URL, cut", with(id, id+"endpoint_url: 'https://me:"+password+"', "), password, "endpoint_url is no address"},
		{"user in a URL", with(id, id+"endpoint_url: 'https://"+password+"@host', "), password, "holds a user's name"},
		{"presigned URL", with(id, id+"endpoint_url: 'https://host/?X-Amz-Signature="+password+"', "), password, "the plan holds a presigned URL"},
		{"webhook", sound + "notify: {webhook_env: '" + hook + "'}\n", "abcdefGHIJ", "the plan holds a webhook's URL"},
		{"another webhook", sound + "notify: {webhook_env: 'https://example.com/" + password + "'}\n", password, "12:23: the plan holds a webhook's URL"},
		{"private key", sound + "# -----BEGIN RSA PRIVATE" + " KEY-----\n# " + password + "\n# -----END\n", password, "12:3: the plan holds a private key"},
		{"in a tag", strings.Replace(sound, pair, pair+"    settings: {tags: {secret: "+secret+"}}\n", 1), secret, "12:31: the plan holds an AWS secret access key"},
		{"type error under a secret name", strings.Replace(sound, pair, pair+"    settings: {tags: {api_token: 12345678}}\n", 1), "12345678", "wants text, not a number"},
		{"in a file that is no YAML", broken + "password: " + password + "\n", password, "this is not YAML"},
		{"in the line that is no YAML", "version: 1\npassword: " + password + ": x\n", password, "this is not YAML"},
		{"block in a file that is no YAML", broken + "secret: |\n  " + secret + "\n", secret, "4:3: the plan holds an AWS secret access key"},
		{"unknown anchor", sound + "copy: *" + keyID + "\n", keyID, "an alias stands for an anchor"},
		{"two documents", sound + "---\npassword: " + password + "\n", password, "a second document begins here"},
		{"below a secret name", sound + "secrets: {a: {b: " + password + "}}\n", password, "12:18: the plan holds a secret, by its name"},
	} {
		t.Run(c.name, func(t *testing.T) {
			all, said := leaking(t, "p.yaml", c.text)
			if strings.Contains(said, c.secret) || len(c.secret) > 20 && strings.Contains(said, c.secret[:20]) {
				t.Errorf("the secret is repeated:\n%s", said)
			}
			if !strings.Contains(strings.Join(brief(all.List), "\n"), c.want) {
				t.Errorf("said %q, want %q among it", brief(all.List), c.want)
			}
		})
	}
}

func TestALineWithASecretIsNotShownByOtherProblems(t *testing.T) {
	text := sound + "x: 1 # " + keyID + "\n"
	all, said := leaking(t, "p.yaml", text)
	if len(all.List) != 2 || all.List[0].Snippet != "[REDACTED]" || all.List[1].Snippet != "[REDACTED]" {
		t.Errorf("said %s", said)
	}
}

func TestAnAddressIsNamedWithoutItsSignature(t *testing.T) {
	_, said := leaking(t, "https://me:"+password+"@host/p.yaml?X-Amz-Signature="+password, "[]")
	if strings.Contains(said, password) || !strings.HasPrefix(said, "https://host/p.yaml:1:1: ") {
		t.Errorf("said %s", said)
	}
}

func TestWhatOnlySoundsLikeASecretIsAccepted(t *testing.T) {
	for _, text := range []string{
		with("profile: a", "profile: secret-admin"),
		with(pair, pair+"    prefix: secrets/tokens/\n    to_prefix: passwords/\n"),
		with(pair, pair+"    settings: {tags: {token-owner: team-a, password: none}}\n"),
		with(pair, pair+"copy: {exclude: ['data/2024/Region/Customers12345/abcdefgh0/**']}\n"),
		with(pair, pair+"notify: {webhook_env: SECRET_TOKEN}\ncleanup: {access_key: always}\n"),
		with(pair, pair+"# the user's unique ID is AIDAJQABLZS4A3QDU576Q, the role's AROADBQP57FF2AEXAMPLE\n"),
		with(pair, pair+"# see git@github.com:a/b and ssh://git@host/x; password: ask the team\n"),
	} {
		if _, err := plan.Parse("p.yaml", []byte(text)); err != nil {
			t.Errorf("refused: %v", err)
		}
	}
}

func TestAFloodOfSecretsIsBounded(t *testing.T) {
	var text strings.Builder
	for i := range 5000 {
		text.WriteString("password" + strings.Repeat("x", i%7) + ": " + password + strings.Repeat("y", i) + "\n")
		if text.Len() > plan.MaxSize/2 {
			break
		}
	}
	all, said := leaking(t, "p.yaml", text.String())
	if len(all.List) > 200 || len(said) > 200_000 || strings.Contains(said, password) {
		t.Errorf("said %d problems in %d bytes", len(all.List), len(said))
	}
}

func TestASecretPutAnywhereIsNeverRepeated(t *testing.T) {
	for _, put := range []string{keyID, "\nsecret_access_key: " + secret + "\n", " # " + hook, "\n# aws_session_token=" + token + "\n"} {
		hiddenPart := put[len(put)-9 : len(put)-1]
		for i := 0; i <= len(sound); i += 11 {
			_, err := plan.Parse("p.yaml", []byte(sound[:i]+put+sound[i:]))
			var all *plan.Problems
			if !errors.As(err, &all) {
				t.Fatalf("at %d, %q: %v", i, put, err)
			}
			data, err := json.Marshal(all)
			if err != nil {
				t.Fatal(err)
			}
			if said := all.Error() + string(data); strings.Contains(said, hiddenPart) {
				t.Fatalf("at %d: %s", i, said)
			}
		}
	}
}
