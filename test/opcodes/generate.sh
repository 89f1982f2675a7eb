#!/usr/bin/env bash
# Asks LLVM 22's disassembler about every opcode again, and writes native/crates/elf/src/isa/x86/opcodes.txt.
# Needs g++ and Debian's libllvm22. The headers of llvm-22-dev are downloaded into a temporary folder.
# Takes two minutes.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=$(realpath "$here/../../native/crates/elf/src/isa/x86/opcodes.txt")
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get download llvm-22-dev
dpkg-deb --fsys-tarfile llvm-22-dev_*.deb | tar -x --wildcards './usr/include/*' './usr/lib/llvm-22/include/*'
g++ -std=c++20 -O2 -fno-rtti -isystem usr/lib/llvm-22/include -isystem usr/include/llvm-22 -isystem usr/include \
  -o generate "$here/generate.cpp" "$(ldconfig -p | awk '/libLLVM.so.22/ { print $NF; exit }')"
./generate > opcodes.txt
mv opcodes.txt "$out"
