#!/usr/bin/env bash
# Start a one-node SLURM, run the tests on it, and stop it.
set -euo pipefail
cd "$(dirname "$0")/../.."

if [ "$(id -u)" -ne 0 ]; then
  echo "error: the SLURM tests start a SLURM, so they must be run as root" >&2
  exit 1
fi
bash envs/programs.sh slurm

exec 9>/run/heliosynth-slurm.lock
if ! flock --nonblock 9; then
  echo "error: the SLURM tests are already running" >&2
  exit 1
fi

# The tests have their own process group, so that all of it can be ended.
set -m
tests=
finish() {
  if [ -n "$tests" ] && kill -TERM -- "-$tests" 2>/dev/null; then
    wait "$tests" || true
  fi
  bash tests/slurm/cluster.sh stop 9>&-
}
trap finish EXIT
trap 'exit 143' INT TERM HUP

bash tests/slurm/cluster.sh stop 9>&-
bash tests/slurm/cluster.sh start 9>&-
python -m pytest -m slurm tests/slurm 9>&- &
tests=$!
wait "$tests"
