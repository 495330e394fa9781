#!/usr/bin/env bash
# Keeps one comment of the pull request for each plan. Ours is the one that begins with the plan's hidden
# marker and was written by whose token this is: what others wrote is never rewritten, marker or not.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

[[ $INPUT_COMMENT == true && -n $MARKDOWN ]] || exit 0
number=$INPUT_PULL_REQUEST
[[ -n $number ]] || number=$(jq -r '.pull_request.number // empty' "$GITHUB_EVENT_PATH")
if [[ -z $number ]]; then
	echo 'this is no pull request: the review is in the summary of the job'
	exit 0
fi
[[ $number =~ ^[0-9]+$ ]] || fail "pull-request: $number is no number" 10
[[ -n $GITHUB_TOKEN ]] || fail 'token: there is none to comment with' 10

work=$(mktemp -d "$RUNNER_TEMP/xplan.XXXXXX")
trap 'rm -rf -- "$work"' EXIT
comments=$GITHUB_API_URL/repos/$GITHUB_REPOSITORY/issues

# call METHOD URL [BODY] leaves the answer in $work/reply and its headers in $work/headers, and prints the
# status. The token goes over a pipe, so that no list of processes shows it. Only what changes nothing is
# tried again: a comment must not be made twice.
call() {
	local with=(--silent --show-error --max-time 60 --request "$1" --header @-
		--header 'Accept: application/vnd.github+json' --header 'X-GitHub-Api-Version: 2022-11-28'
		--output "$work/reply" --dump-header "$work/headers" --write-out '%{http_code}')
	if (($# > 2)); then
		with+=(--header 'Content-Type: application/json' --data-binary "@$3")
	fi
	[[ $1 == GET ]] && with+=(--retry 3)
	printf 'Authorization: Bearer %s\n' "$GITHUB_TOKEN" | curl "${with[@]}" -- "$2"
}

# refused STATUS DOING ends the step: what GitHub said is in the log.
refused() {
	fail "$2: GitHub answered $1: $(jq -r '.message? // empty' "$work/reply" 2>/dev/null | head -c 500)"
}

# whose is the login behind the token. REST does not tell that of an installation's token; GraphQL does.
whose() {
	if [[ -n $INPUT_COMMENT_AUTHOR ]]; then
		printf '%s' "$INPUT_COMMENT_AUTHOR"
		return
	fi
	local status login
	printf '{"query":"{ viewer { login } }"}' >"$work/query"
	status=$(call POST "${GITHUB_GRAPHQL_URL:-$GITHUB_API_URL/graphql}" "$work/query")
	login=$(jq -r '.data.viewer.login // empty' "$work/reply" 2>/dev/null || true)
	[[ $status == 200 && -n $login ]] || refused "$status" 'ask whose token this is; comment-author may say it'
	printf '%s' "$login"
}

# ours MARKER prints the ID of the oldest comment of ours that begins with it, if there is one.
ours() {
	local page=1 status id
	while :; do
		status=$(call GET "$comments/$number/comments?per_page=100&page=$page")
		[[ $status == 200 ]] || refused "$status" "read the comments of #$number"
		id=$(jq -r --arg marker "$1" --arg me "$me" \
			'[.[] | select(.user.login == $me and ((.body // "") | split("\n")[0] | rtrimstr("\r")) == $marker) | .id][0] // empty' "$work/reply")
		if [[ -n $id ]]; then
			printf '%s' "$id"
			return
		fi
		grep -qiE '^link:.*rel="next"' "$work/headers" || return 0
		((page++))
	done
}

# body FILE makes the comment: the review, and of which commit and run it is.
body() {
	local longest=65000 commit run
	commit=$(jq -r '.pull_request.head.sha // empty' "$GITHUB_EVENT_PATH")
	run=$GITHUB_SERVER_URL/$GITHUB_REPOSITORY/actions/runs/$GITHUB_RUN_ID
	jq -n --rawfile review "$1" --arg foot "Reviewed at commit ${commit:-$GITHUB_SHA}, in [this run]($run)." --argjson longest "$longest" '
		($review | rtrimstr("\n")) as $review
		| if ($review | length) + ($foot | length) > $longest
		  then ($review | split("\n")[0]) + "\nThe review is too long for a comment; it is in the summary of the run."
		  else $review end
		| {body: (. + "\n\n" + $foot + "\n")}' >"$work/body"
}

me=$(whose)
reviews=()
lines reviews "$MARKDOWN"
for review in "${reviews[@]}"; do
	IFS= read -r marker <"$review"
	[[ $marker == '<!-- xplan:plan '*' -->' ]] || fail "$review does not begin with its marker"
	body "$review"
	id=$(ours "$marker")
	status=404
	if [[ -n $id ]]; then
		status=$(call PATCH "$comments/comments/$id" "$work/body")
		[[ $status == 200 || $status == 404 ]] || refused "$status" "rewrite comment $id"
	fi
	if [[ $status == 404 ]]; then # there is none, or it was deleted a moment ago
		status=$(call POST "$comments/$number/comments" "$work/body")
		if [[ $status == 403 ]]; then
			echo '::warning title=xplan::the token may not comment here: it wants pull-requests write, which a fork never has. The review is in the summary of the job.'
			exit 0
		fi
		[[ $status == 201 ]] || refused "$status" "comment on #$number"
	fi
	jq -r '"commented: \(.html_url // "")"' "$work/reply"
done
