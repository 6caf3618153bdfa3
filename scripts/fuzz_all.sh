#!/bin/bash
# Runs every fuzz target of build/asan for 60 s, two at a time. A crash leaves its input in build/fuzz/crashes/<target>/
# and fails the run. Seeds come from tests/fuzz/corpus/<target>/ where there are any.
# usage: scripts/fuzz_all.sh [SECONDS]
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
export ASAN_SYMBOLIZER_PATH=/usr/lib/llvm-16/bin/llvm-symbolizer

mapfile -t targets < <(find build/asan -type f -name 'fuzz_*' -executable | sort)
if [ ${#targets[@]} -eq 0 ]; then
  echo "fuzz: build/asan holds no fuzz target"
  exit 1
fi

run_one() {  # run_one BINARY SECONDS
  local name=${1##*/fuzz_}
  local found=build/fuzz/corpus/$name crashes=build/fuzz/crashes/$name/ log=build/fuzz/$name.log
  mkdir -p "$found" "$crashes"
  local corpus=("$found")
  if [ -d "tests/fuzz/corpus/$name" ]; then corpus+=("tests/fuzz/corpus/$name"); fi
  local status=0
  "$1" -max_total_time="$2" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$crashes" \
    "${corpus[@]}" >"$log" 2>&1 </dev/null || status=$?
  if [ $status -eq 0 ]; then
    echo "fuzz: $name: clean, $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs"
  else
    tail -n 40 "$log"
    echo "fuzz: $name: FAILED (status $status); the input is in $crashes"
  fi
  return $status
}
export -f run_one
printf '%s\0' "${targets[@]}" | xargs -0 -n 1 -P 2 bash -c 'run_one "$1" "$0"' "$seconds"
