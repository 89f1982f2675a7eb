#!/usr/bin/env bash
# Fuzzes every target from its committed seeds, five at a time:
#
#     native/fuzz/run.sh [SECONDS] [TARGET...]     each target runs 60 seconds by default
#
# With FUZZ_SEED=NUMBER, libFuzzer draws the same values in each run.
#
# Neither a nightly compiler nor cargo-fuzz is needed: the compiler's own flags make libFuzzer targets with the address
# sanitizer, which also counts the bytes of each allocation. These are failures: a crash, a hang of 30 seconds, an
# allocation of more than 192 MB at once (a zstd frame may ask for a window of 128 MB), and more than 2 GB of memory in
# all. The input of a failure stays in native/fuzz/artifacts/TARGET.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
seconds=${1:-60}
shift || true
host=$(rustc -vV | sed -n 's/^host: //p')

export RUSTC_BOOTSTRAP=1
export RUSTFLAGS="--cfg fuzzing -Zsanitizer=address -Cdebug-assertions -Ccodegen-units=1 -Cpasses=sancov-module \
-Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
-Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares"
cargo build --quiet --release --bins --target "$host"

# fuzz SECONDS HOST TARGET: prints one line in the form of a test runner, and the end of the log if the target failed.
fuzz() {
  local scratch status=0 runs
  scratch=$(mktemp -d)
  mkdir -p "$scratch/corpus" "artifacts/$3"
  "target/$2/release/$3" "$scratch/corpus" "corpus/$3" -seed="${FUZZ_SEED:-0}" -max_total_time="$1" -timeout=30 \
    -rss_limit_mb=2048 -malloc_limit_mb=192 -max_len=20000 -artifact_prefix="artifacts/$3/" -print_final_stats=1 \
    > "$scratch/log" 2>&1 || status=$?
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$scratch/log")
  if [ "$status" -eq 0 ] && [ "${runs:-0}" -gt 0 ]; then
    echo "test result: ok. 1 passed; 0 failed; fuzz target $3, $runs executions in $1 s"
  else
    tail -40 "$scratch/log"
    echo "test result: FAILED. 0 passed; 1 failed; fuzz target $3"
    status=1
  fi
  rm -r "$scratch"
  return "$status"
}
export -f fuzz

if [ $# -eq 0 ]; then
  set -- $(cd fuzz_targets && ls -- *.rs | sed 's/\.rs$//')
fi
printf '%s\n' "$@" | xargs -P 5 -I TARGET bash -c "fuzz $seconds $host TARGET"
