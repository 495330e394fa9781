#!/usr/bin/env bash
# Finds xplan, or builds it from the action's own sources.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

name=${INPUT_BINARY:-xplan}
if path=$(command -v -- "$name"); then
	[[ $path == */* ]] && path=$(cd -- "${path%/*}" && pwd)/${path##*/}
elif [[ -n $INPUT_BINARY ]]; then
	fail "binary: $INPUT_BINARY is no program" 10
else
	command -v go >/dev/null || fail "there is no xplan on PATH, and no Go to build it: install one of them in a step before, or set binary"
	path=$RUNNER_TEMP/xplan-bin/xplan
	(cd -- "${BASH_SOURCE[0]%/*}/.." && go build -trimpath -o "$path" ./cmd/xplan) || fail "xplan could not be built"
fi
"$path" version || fail "binary: $path does not run"
output binary "$path"
