#!/usr/bin/env bash
# Run a command with its output in a log, and show the end of the log only if the command fails:
#   quiet.sh NAME LOG COMMAND...
set -uo pipefail
name=$1
log=$2
shift 2
"$@" >"$log" 2>&1
status=$?
if [ "$status" -ne 0 ]; then
  tail --lines 20 "$log" >&2
  echo "error: $name failed; all of its output is in $log" >&2
fi
exit "$status"
