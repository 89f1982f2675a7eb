#!/usr/bin/env bash
# perf 6.1 prints offsets in files where `perf script -F ip` should print the addresses of a call chain.
#
# Debian 12 has perf 6.1 (package linux-perf 6.1.192-3). For a sample with a call chain, its `perf script -F ip` prints a
# small number for each frame: the address less the start of its mapping, plus the offset of the mapping in the file.
# For a sample without a call chain it prints the address. `perf script -D` prints the addresses of the chain. The instruction
# pointer of branch stacks (`-F brstack`) is an address, too. So a program that reads both, as llvm-profgen does with
# `-F ip,brstack` to make profiles with calling contexts, takes the frames for addresses of other code.
#
# Seen on 2026-11-29 with perf 6.1.192: no frame that was printed for the profiled program is an address of the
# program. After adding the start of the mapping, all frames are addresses of the program.
#
# Needs the right to record (kernel.perf_event_paranoid of 1 or less, or root), and gcc.
# Exit status: 0 perf still behaves so; 1 perf behaves differently; 2 perf cannot be installed or cannot record here.
set -euo pipefail
version=6.1.192-3

folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
cd "$folder"
{ apt-get -qq -o APT::Sandbox::User=root download "linux-perf=$version" && dpkg -x linux-perf_*.deb .; } > install.log 2>&1 ||
  { cat install.log; exit 2; }
perf=$(find . -path '*bin/perf' -type f | head -n 1)
"$perf" --version

cat > work.c <<'SOURCE'
__attribute__((noinline)) static unsigned inner(unsigned n) {
  unsigned sum = 0;
  for (unsigned i = 0; i < n; i++) __asm__ volatile("" : "+r"(sum));
  return sum;
}
__attribute__((noinline)) static unsigned outer(unsigned n) { return inner(n) + 1; }
int main(void) {
  unsigned sum = 0;
  for (int i = 0; i < 3000; i++) sum += outer(100000);
  return sum == 7;
}
SOURCE
gcc -O1 -fno-omit-frame-pointer -fno-optimize-sibling-calls -fPIE -pie -o work work.c
"$perf" record --quiet -e cpu-clock:u --call-graph fp -o perf.data ./work > record.log 2>&1 || { cat record.log; exit 2; }

# The mapping of the program's code: its start, its size, and its offset in the file.
read -r start size offset < <("$perf" script -i perf.data --show-mmap-events 2> /dev/null |
  sed -n "s,.*\[\(0x[0-9a-f]*\)(\(0x[0-9a-f]*\)) @ \(0x[0-9a-f]*\|0\) .*r-xp .*/work$,\1 \2 \3,p" | head -n 1)
echo "the program's code is at $start, $size bytes from $offset in the file"

# in_code FROM: prints how many of the hexadecimal numbers on stdin are addresses of the code, if the code begins at FROM.
in_code() {
  local number count=0
  while read -r number; do
    if ((0x$number >= $1 && 0x$number < $1 + size)); then count=$((count + 1)); fi
  done
  echo "$count"
}
"$perf" script -i perf.data -F ip,sym 2> /dev/null | sed -n 's/^[[:space:]]*\([0-9a-f]*\) \(inner\|outer\|main\)$/\1/p' > frames
"$perf" script -i perf.data -D 2> /dev/null | sed -n 's/^\.\.\.\.\. *[0-9]*: \([0-9a-f]\{16\}\)$/\1/p' > raw
printed=$(wc -l < frames)
addresses=$(in_code "$start" < frames)
offsets=$(in_code "$offset" < frames)
raw=$(in_code "$start" < raw)
echo "of $printed frames of the program that perf script prints, $addresses are addresses and $offsets are offsets in the file"
echo "of the frames in the recording, $raw are addresses of the program"
[ "$printed" -gt 0 ] && [ "$addresses" -eq 0 ] && [ "$offsets" -eq "$printed" ] && [ "$raw" -ge "$printed" ]
