# shellcheck shell=bash
# What the steps of action.yml share. Each is run by bash with its inputs as variables: nothing that a
# person wrote is ever part of a script.

((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] >= 404)) || {
	echo "::error title=xplan::the action wants bash 4.4 or newer, and this is $BASH_VERSION"
	exit 1
}
shopt -s inherit_errexit

# fail MESSAGE [STATUS] ends the step, or the subshell. The runner reads commands on stderr, too.
fail() {
	printf '::error title=xplan::%s\n' "$(escaped "$1")" >&2
	exit "${2:-1}"
}

# escaped TEXT makes a text the message of a workflow command.
escaped() {
	local text=${1//'%'/%25}
	text=${text//$'\r'/%0D}
	printf '%s' "${text//$'\n'/%0A}"
}

# property TEXT makes a text a property of one, where commas and colons mean something.
property() {
	local text
	text=$(escaped "$1")
	text=${text//:/%3A}
	printf '%s' "${text//,/%2C}"
}

# random is a word that nobody can guess.
random() { od -An -N16 -tx1 /dev/urandom | tr -d ' \n'; }

# output NAME VALUE sets an output of the step; the value may have lines.
output() {
	local end
	end=$(random)
	printf '%s<<%s\n%s\n%s\n' "$1" "$end" "$2" "$end" >>"$GITHUB_OUTPUT"
}

# shown FILE puts a text into the log. No line of it is taken for a command of the workflow.
shown() {
	local word
	word=$(random)
	printf '::stop-commands::%s\n' "$word"
	cat -- "$1"
	printf '\n::%s::\n' "$word"
}

# lines NAME TEXT fills an array with the lines of a text that hold anything.
lines() {
	local -n into=$1
	local line
	into=()
	while IFS= read -r line || [[ -n $line ]]; do
		line=${line%$'\r'}
		[[ $line =~ [^[:space:]] ]] && into+=("$line")
	done <<<"$2"
	return 0
}

# inside FOLDER goes to the folder that paths begin at.
inside() { cd -- "${1:-.}" 2>/dev/null || fail "working-directory: there is no folder ${1:-.}" 10; }
