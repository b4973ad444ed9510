#!/usr/bin/env bash
# Install the system programs that pip cannot install: venv and a LaTeX that compiles the paper;
# or, as `programs.sh slurm`, the SLURM of the tests.
# Uses apt as root or with passwordless sudo; otherwise prints one line that names the packages.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

packages=()
case ${1:-} in
slurm)
  for program in slurmctld slurmd sbatch munged; do
    command -v "$program" >/dev/null || packages=(slurmctld slurmd slurm-client munge)
  done
  ;;
*)
  python=${PYTHON:-python3}
  "$python" -c 'import ensurepip, venv' 2>/dev/null || packages+=(python3-venv)
  if ! command -v latexmk >/dev/null || ! command -v pdflatex >/dev/null \
    || ! kpsewhich siunitx.sty booktabs.sty microtype.sty natbib.sty lmodern.sty >/dev/null 2>&1; then
    packages+=(latexmk texlive-latex-base texlive-latex-recommended texlive-science
      texlive-fonts-recommended lmodern)
  fi
  ;;
esac
[ ${#packages[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then as_root=(sudo -n); fi
if ! command -v apt-get >/dev/null || ! "${as_root[@]}" true 2>/dev/null; then
  echo "error: system programs are missing and cannot be installed from here;" \
    "ask an administrator for: apt-get install --no-install-recommends ${packages[*]}" >&2
  exit 1
fi
echo "installing with apt-get, which takes minutes: ${packages[*]}"
log=$(mktemp)
bash "$here/quiet.sh" apt-get "$log" "${as_root[@]}" apt-get update -q
bash "$here/quiet.sh" apt-get "$log" "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -qq -y --no-install-recommends "${packages[@]}"
rm -f "$log"
