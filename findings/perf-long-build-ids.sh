#!/usr/bin/env bash
# perf keeps only 20 bytes of a longer build id, and with --buildid-mmap no byte of it, without a warning.
#
# Build ids need not have the 20 bytes of SHA-1: mold and wild write 32 (SHA-256), and --build-id=0x... of GNU ld, gold
# and lld takes any number of bytes. `perf record` of perf 6.1 (Debian 12, linux-perf 6.1.192-3) writes the first 20
# bytes into the recording's list of build ids, so comparing it with the note in the file says "another build". With
# --buildid-mmap the kernel, which has room for 20, leaves the build id out of the mapping, so the recording has
# only the path of the file. Such a program has to be recognised by the first 20 bytes, or by its path.
#
# Seen on 2026-11-29 with perf 6.1.192 and Linux 6.18.
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
int main(void) {
  volatile unsigned sum = 0;
  for (unsigned i = 0; i < 100000000; i++) sum += i;
  return 0;
}
SOURCE

# build_id BYTES: prints a build id of this length in hexadecimal. Its bytes count from 1 upwards.
build_id() { printf '%02x' $(seq 1 "$1"); }

# recorded BYTES: prints a build id of this length as perf's list has it, and as the mapping of the program's code has it.
recorded() {
  local name=work$1 listed mapped
  gcc -O1 "-Wl,--build-id=0x$(build_id "$1")" -o "$name" work.c
  HOME=$folder "$perf" record --quiet -e cpu-clock:u -o listed.data "./$name" > log 2>&1 || { cat log >&2; return 2; }
  listed=$("$perf" buildid-list -i listed.data | sed -n "s,^\([0-9a-f]*\) .*/$name$,\1,p")
  HOME=$folder "$perf" record --quiet --buildid-mmap -e cpu-clock:u -o mapped.data "./$name" > log 2>&1 || { cat log >&2; return 2; }
  mapped=$("$perf" script -i mapped.data --show-mmap-events 2> /dev/null |
    sed -n "/PERF_RECORD_MMAP2/s,.* @ [^ ]* <\([0-9a-f]*\)>\]: r-xp .*/$name$,\1,p")
  echo "list: ${listed:-none}, mapping: ${mapped:-none}"
}
short=$(recorded 20) || exit 2
long=$(recorded 32) || exit 2
echo "a build id of 20 bytes: $short"
echo "a build id of 32 bytes: $long"
[ "$short" = "list: $(build_id 20), mapping: $(build_id 20)" ] && [ "$long" = "list: $(build_id 20), mapping: none" ]
