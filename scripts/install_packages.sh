#!/bin/bash
# Installs the Debian packages of packages.txt that are missing, and nothing else. Without anything missing it touches
# neither network nor system.
# usage: scripts/install_packages.sh [--all]     --all: also what only ./check --all needs
set -euo pipefail
cd "$(dirname "$0")/.."

list() {  # the names of packages.txt, comments stripped, up to the marker unless all are wanted
  if [ "${1:-}" = --all ]; then cat packages.txt; else sed '/^# check-all$/,$d' packages.txt; fi |
    sed -e 's/#.*//' -e 's/[[:space:]]//g' -e '/^$/d'
}

if ! command -v dpkg-query >/dev/null; then
  echo "install: this is not a Debian system (dpkg-query is absent); install what packages.txt lists by hand." >&2
  exit 1
fi

missing=()
for package in $(list "${1:-}"); do
  status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
  if [ "$status" != installed ]; then missing+=("$package"); fi
done
if [ ${#missing[@]} -eq 0 ]; then exit 0; fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "install: missing packages need root: run as root: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
  echo "install: sudo is used for apt-get and for nothing else."
else
  echo "install: running as root; root is used for apt-get and for nothing else here."
fi
echo "install: ${#missing[@]} Debian packages are missing: ${missing[*]}"
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -q
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
