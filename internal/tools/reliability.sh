#!/bin/sh
# Makes the figures of docs/reliability.md again: runs every command that its tables name, each once, in their order, and
# prints what each says of itself. So no figure stands there that nobody can make again. Hours; ONLY='make faults' runs those
# whose words match. Exit status 1 if one fails.
set -u
page=docs/reliability.md
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
failed=0
# shellcheck disable=SC2016 # the backticks are the page's
commands() { # in the table's rows
	sed -n '/^|/p' "$page" | grep -oE '`((XPLAN|SOAK)_?[A-Z_]*=[^ `]+ )*(go test|make) [^`]+`' | tr -d '`' | sed 's/\\|/|/g' | awk '!seen[$0]++' # a table writes a bar as \|
}
list=$(commands)
[ -n "$list" ] || { echo "$page names no command" >&2; exit 1; }
while IFS= read -r command; do
	case $command in *${ONLY:-}*) ;; *) continue ;; esac
	printf '\n== %s\n' "$command"
	begun=$(date +%s)
	if GOFLAGS="${GOFLAGS:-} -v" sh -c "$command" >"$log" 2>&1 </dev/null; then end=passed; else end=FAILED failed=1; fi
	# What tests and fuzzers say of themselves; all of it where something failed.
	if [ "$end" = FAILED ]; then cat "$log"; else grep -E '^ +[a-z_]+_test\.go:[0-9]+: |inputs$' "$log" | grep -vE 'XPLAN_TEST_SEED|copy "'; fi
	printf '%s in %d s\n' "$end" "$(($(date +%s) - begun))"
done <<END
$list
END
exit $failed
