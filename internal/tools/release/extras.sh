#!/usr/bin/env bash
# Writes what goes into a release's archives beside the program: man pages and completions, into FOLDER.
set -euo pipefail
cd "$(dirname "$0")/../../.."
to=${1:?usage: extras.sh FOLDER}
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) # of the man pages
export SOURCE_DATE_EPOCH
rm -rf -- "$to"
mkdir -p "$to/man" "$to/completions"
go build -o "$to/xplan" ./cmd/xplan
for shell in bash zsh fish powershell; do
	"$to/xplan" completion "$shell" >"$to/completions/xplan.$shell"
done
rm -- "$to/xplan"
XPLAN_MAN=$PWD/$to/man go test -count=1 -run '^TestManPagesTellEveryCommand$' ./cmd/xplan
