#!/usr/bin/env bash
# Install the system programs that pip cannot: a LaTeX that compiles the paper, and venv; or,
# as `programs.sh slurm`, the SLURM of the tests.
# Uses apt where root or passwordless sudo allows; else says in one line what is missing.
set -euo pipefail

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
echo "installing ${packages[*]}"
log=$(mktemp)
if ! {
  "${as_root[@]}" apt-get update -q &&
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -qq -y --no-install-recommends "${packages[@]}"
} >"$log" 2>&1; then
  echo "error: apt-get could not install ${packages[*]}; its output is in $log" >&2
  exit 1
fi
rm -f "$log"
