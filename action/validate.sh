#!/usr/bin/env bash
# Finds the plan files and checks them, offline: every problem becomes an annotation on its line.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"
inside "$INPUT_WORKING_DIRECTORY"

patterns=()

lines patterns "$INPUT_PLANS"
shopt -s globstar nullglob
files=()
declare -A seen=()
for pattern in "${patterns[@]}"; do
	IFS= # a name with a space is one name
	# shellcheck disable=SC2206 # the pattern is meant to be expanded
	found=($pattern)
	unset IFS
	((${#found[@]})) || found=("$pattern") # a name that is not there is a problem that validate tells
	for file in "${found[@]}"; do
		[[ $file == *[*?[]* && ! -e $file ]] && continue # a pattern without a match
		[[ $file == *$'\n'* ]] && fail "a plan file's name holds a line break" 10
		[[ $file == -* ]] && file=./$file
		[[ -n ${seen[$file]:-} ]] || files+=("$file")
		seen[$file]=yes
	done
done
if ((!${#files[@]})); then
	output exit-code 10
	fail "no plan file matches $INPUT_PLANS" 10
fi

said=$(mktemp "$RUNNER_TEMP/xplan.XXXXXX")
status=0
"$XPLAN" validate --json -- "${files[@]}" >"$said" || status=$?
# Properties of a command end at commas and colons, so these are written in another way.
jq -r --arg folder "${INPUT_WORKING_DIRECTORY%/}" '
	def data: gsub("%"; "%25") | gsub("\r"; "%0D") | gsub("\n"; "%0A");
	def property: data | gsub(":"; "%3A") | gsub(","; "%2C");
	def path: if $folder == "" or $folder == "." or startswith("/") then . else $folder + "/" + . end;
	select(.type == "diagnostic")
	| (if .severity == "error" then "error" else "warning" end) as $kind
	| ([ "title=xplan",
	     (if .file then "file=" + (.file | ltrimstr("./") | path | property) else empty end),
	     (if (.line // 0) > 0 then "line=\(.line),col=\(.column)" else empty end) ] | join(",")) as $where
	| "::\($kind) \($where)::" + ((.message + (if (.hint // "") != "" then "\n" + .hint else "" end)) | data)
' "$said"
jq -r 'select(.type == "valid") | .name' "$said" | sort | uniq -d | while IFS= read -r name; do
	fail "two plan files are named $name: they would share one state and one comment" 10
done || status=10
output exit-code "$status"
((status == 0)) || exit "$status"
output files "$(printf '%s\n' "${files[@]}")"
printf '%s\n' "${#files[@]} plan file(s), all valid"
