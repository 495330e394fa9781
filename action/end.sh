#!/usr/bin/env bash
# Ends the action as its plans ended: changes are no failure, unless they are asked to be.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "${BASH_SOURCE[0]%/*}/lib.sh"

case $EXIT_CODE in
0 | '') ;; # nothing to change, or nothing but a check was asked for
2) [[ $INPUT_FAIL_ON_CHANGES != true ]] || fail 'a plan would change something' 2 ;;
*) fail "a plan could not be reviewed: exit status $EXIT_CODE" "$EXIT_CODE" ;;
esac
