#!/usr/bin/env bash
# Writes seeds for the target debug_info: small programs of several compilers and versions of DWARF.
# Needs clang-22, lld-22 and gcc.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
folder=$PWD/corpus/debug_info
mkdir -p "$folder"
work=$(mktemp -d); trap 'rm -r "$work"' EXIT
cat > "$work/program.c" <<'C'
struct pair { int first, second; };
static inline __attribute__((always_inline)) int sum(struct pair p) { return p.first + p.second; }
static __attribute__((noinline)) int turn(int x) { return x & 1 ? 3 * x + 1 : x / 2; }
int walk(int x, int steps) {
  for (; steps > 0 && x != 1; steps--) x = turn(sum((struct pair){x, steps}));
  return x;
}
void _start(void) { for (;;) walk(27, 100); }
C
cd "$work"
seed() { # NAME COMPILER...: a program behind the byte that chooses how it is decoded
  local name=$1; shift
  "$@" -O2 -nostdlib -static -Wl,--build-id=none -Wl,-z,max-page-size=4096 -Wl,-z,noseparate-code program.c -o program
  { printf '\0'; cat program; } > "$folder/$name"
}
clang=(clang-22 -fuse-ld=lld -fdebug-info-for-profiling)
seed clang-dwarf5 "${clang[@]}" -gdwarf-5
seed clang-dwarf4-sections "${clang[@]}" -gdwarf-4 -ffunction-sections -mllvm -enable-fs-discriminator=true
seed clang-split "${clang[@]}" -gdwarf-5 -gsplit-dwarf
seed clang-types "${clang[@]}" -gdwarf-5 -fdebug-types-section
seed clang-aarch64 "${clang[@]}" -gdwarf-5 --target=aarch64-linux-gnu
seed gcc-dwarf5 gcc -gdwarf-5
seed gcc-dwarf2 gcc -gdwarf-2 -gstrict-dwarf
seed gcc-dwarf4-64 gcc -gdwarf-4 -gdwarf64
