#!/usr/bin/env bash
# The dry run of each plan: its review as Markdown, and the saved plan that shows just that. It changes
# nothing. A plan that fails gets a review that says so, and the others are reviewed all the same.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"
[[ $INPUT_VALIDATE_ONLY != true ]] || exit 0
inside "$INPUT_WORKING_DIRECTORY"

files=()

lines files "$PLAN_FILES"
arguments=()
lines arguments "$INPUT_ARGUMENTS"
profiles=()
lines profiles "$INPUT_PROFILES"
for profile in "${profiles[@]}"; do
	arguments+=(--profile "$profile")
done
directory=$(mktemp -d "$RUNNER_TEMP/xplan.XXXXXX")

# why STATUS says in a word what an exit status means.
why() {
	case $1 in
	10) echo 'the plan, or the command line, is not valid' ;;
	11) echo 'another run holds the lock' ;;
	13) echo 'credentials: none, expired, or of another account' ;;
	*) echo 'it could not be reviewed' ;;
	esac
}

# failed NAME STATUS STDERR is the review of a plan that could not be made.
failed() {
	local fence='```'
	while grep -qF -- "$fence" "$3"; do
		fence+='`'
	done
	# shellcheck disable=SC2016 # Markdown's, not bash's
	printf '<!-- xplan:plan %s -->\n## xplan: `%s` could not be reviewed\n\nExit status %s: %s. What it would change is not known.\n\n%s\n' "$1" "$1" "$2" "$(why "$2")" "$fence"
	head -c 20000 -- "$3"
	printf '\n%s\n' "$fence"
}

worst=0 changes=false markdown=() saved=()
for file in "${files[@]}"; do
	name=$("$XPLAN" validate --json -- "$file" | jq -r 'select(.type == "valid") | .name')
	echo "::group::xplan plan $(escaped "$file")"
	status=0
	"$XPLAN" plan --no-input --no-color --detailed-exitcode --output "$directory/$name.saved" "${arguments[@]}" -- "$file" \
		>"$directory/$name.txt" 2>"$directory/$name.err" || status=$?
	shown "$directory/$name.err"
	shown "$directory/$name.txt"
	case $status in
	0 | 2)
		((status == 0)) || changes=true
		saved+=("$directory/$name.saved")
		# From its folder, so that the command that it names holds no path of this machine.
		(cd -- "$directory" && "$XPLAN" show --quiet --format markdown "$name.saved") >"$directory/$name.md"
		;;
	*) failed "$name" "$status" "$directory/$name.err" >"$directory/$name.md" ;;
	esac
	echo '::endgroup::'
	markdown+=("$directory/$name.md")
	cat -- "$directory/$name.md" >>"${GITHUB_STEP_SUMMARY:-/dev/null}"
	rm -- "$directory/$name.err" "$directory/$name.txt"
	if ((status != 0 && status != 2)); then
		printf '::error title=xplan,file=%s::exit status %s: %s\n' "$(property "${INPUT_WORKING_DIRECTORY%/}/${file#./}")" "$status" "$(why "$status")"
		((worst == 0 || worst == 2)) && worst=$status
	elif ((status == 2 && worst == 0)); then
		worst=2
	fi
done
output exit-code "$worst"
output changes "$changes"
output markdown "$(printf '%s\n' "${markdown[@]}")"
output saved-plan "$(printf '%s\n' "${saved[@]}")"
output directory "$directory"
