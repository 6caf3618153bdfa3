#!/bin/bash
# Runs the tests that make sense under a sanitizer. Labels are room names; the build presets of the same names build
# what is run here and no more.
# usage: scripts/sanitized_tests.sh asan|tsan
set -euo pipefail
cd "$(dirname "$0")/.."

# e2e runs whole commands whose parts are all tested below it; the judge measures the limits of programs that it starts,
# which a sanitizer's shadow memory breaks (RLIMIT_AS), and sets up namespaces that LeakSanitizer cannot trace.
# Real weights are far too slow here; small random models cover the same code.
export PLUMB_TEST_MODEL=absent

case "$1" in
  asan)
    export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1
    export UBSAN_OPTIONS=print_stacktrace=1
    select=(--label-exclude '^(e2e|compiler_sandbox|lint)$')
    ;;
  tsan)
    # Only rooms with threads of their own. Inside libdnnl and libgomp nothing is instrumented; plumb calls oneDNN
    # single-threaded, so their synchronisation is never needed and cannot be misread.
    export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:suppressions=$PWD/scripts/tsan_suppressions.txt
    select=(--label-regex '^(core|tensor|actor|policy)$')
    ;;
  *)
    echo "sanitized_tests: unknown preset '$1' (known: asan, tsan)" >&2
    exit 2
    ;;
esac
ctest --preset "$1" -j "$(nproc)" --output-on-failure --no-tests=error --exclude-regex '_NOT_BUILT$' \
  "${select[@]}"
