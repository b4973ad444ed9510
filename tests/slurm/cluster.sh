#!/usr/bin/env bash
# Start or stop a one-node SLURM on this machine, as root and without systemd:
#   cluster.sh start   |   cluster.sh stop
set -euo pipefail

root=/run/heliosynth-slurm
configuration=/etc/slurm
files=(slurm.conf gres.conf cgroup.conf)
here=$(cd "$(dirname "$0")" && pwd)
export SLURM_CONF=$root/slurm.conf

wait_for() { # wait_for SECONDS COMMAND...
  local left=$(($1 * 5))
  shift
  until "$@"; do
    left=$((left - 1))
    [ "$left" -gt 0 ] || return 1
    sleep 0.2
  done
}

ready() { sinfo --noheader --format %T 2>/dev/null | grep -q idle; }
empty() { [ -z "$(squeue --noheader 2>/dev/null)" ]; }
gone() { ! kill -0 "$1" 2>/dev/null; }

start() {
  # Snakemake's executor drops SLURM_CONF, so jobs read the default folder.
  for file in "${files[@]}"; do
    if [ -e "$configuration/$file" ] && [ ! -L "$configuration/$file" ]; then
      echo "error: $configuration/$file exists: this machine has another SLURM" >&2
      exit 1
    fi
  done
  rm -rf "$root"
  mkdir -p -m 755 "$root" "$root/state" "$root/spool" "$configuration"
  sed -e "s#@ROOT@#$root#g" -e "s#@HOST@#$(hostname -s)#g" \
    -e "s#@CONTROLLER_PORT@#26817#g" -e "s#@NODE_PORT@#26818#g" \
    "$here/slurm.conf.in" >"$root/slurm.conf"
  # Any four devices will do: no job looks for a GPU on them.
  for device in null zero full random; do
    echo "NodeName=$(hostname -s) Name=gpu File=/dev/$device"
  done >"$root/gres.conf"
  echo "CgroupAutomount=no" >"$root/cgroup.conf"
  for file in "${files[@]}"; do ln -sfn "$root/$file" "$configuration/$file"; done
  (umask 077 && head --bytes 1024 /dev/urandom >"$root/munge.key")
  munged --force --key-file "$root/munge.key" --socket "$root/munge.socket" \
    --pid-file "$root/munged.pid" --log-file "$root/munged.log" --seed-file "$root/munged.seed"
  slurmctld
  slurmd
  wait_for 30 ready || {
    echo "error: SLURM does not start; its logs are in $root" >&2
    exit 1
  }
}

stop() {
  [ -d "$root" ] || return 0
  if ready_to_cancel; then
    scancel --user root --full 2>/dev/null || true
    wait_for 30 empty || true
  fi
  for daemon in slurmd slurmctld munged; do
    local pid
    pid=$(cat "$root/$daemon.pid" 2>/dev/null) || continue
    # Another process can have the pid by now.
    [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$daemon" ] || continue
    kill "$pid" 2>/dev/null || true
    wait_for 10 gone "$pid" || kill -KILL "$pid" 2>/dev/null || true
  done
  for file in "${files[@]}"; do
    if [ "$(readlink "$configuration/$file")" = "$root/$file" ]; then
      rm "$configuration/$file"
    fi
  done
}

ready_to_cancel() { timeout 5 sinfo --noheader >/dev/null 2>&1; }

"$1"
