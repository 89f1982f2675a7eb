#!/usr/bin/env bash
# Counts the instructions that the pipeline executes on fixed inputs, and prints them beside the numbers in
# bench/instructions.txt. callgrind's counts do not depend on the machine's load, so a slower stage is first seen
# here. The script fails for no number.
#   bench/instructions.sh            prints the change
#   bench/instructions.sh --record   records today's numbers in bench/instructions.txt
# Needs valgrind.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
recorded=bench/instructions.txt
cargo build --quiet --profile profiling --manifest-path native/Cargo.toml -p profgen --example generate
generate=${CARGO_TARGET_DIR:-native/target}/profiling/examples/generate
now=$(mktemp); trap 'rm -f "$now"' EXIT

count() { # NAME ARG...: one line "NAME INSTRUCTIONS"
  local name=$1; shift
  # iced and memchr choose code by the CPU. valgrind's own CPU is the same on every machine.
  valgrind --tool=callgrind --callgrind-out-file=/dev/null "$generate" "$@" jobs=1 2>&1 >/dev/null |
    awk -v name="$name" '/Collected/ { print name, $NF }' >> "$now"
}

for fixture in calc-x86_64 shapes-cpp life-rust calc-aarch64; do
  program=fixtures/$fixture/${fixture%%-*}
  count "$fixture/counters" "$program" "fixtures/$fixture/perf.data" counters
  count "$fixture/profile" "$program" "fixtures/$fixture/perf.data" extbinary
done
# Work that is done once for a program is small beside the counting here.
count "calc-x86_64/64-times" fixtures/calc-x86_64/calc fixtures/calc-x86_64/perf.data counters times=64

[ "${1:-}" = --record ] && cp "$now" "$recorded"
awk 'NR == FNR { old[$1] = $2; next }
     { change = old[$1] ? sprintf("%+.2f %%", 100 * ($2 / old[$1] - 1)) : "new"; printf "%-24s %14d %12s\n", $1, $2, change }' \
  "$recorded" "$now"
