#!/usr/bin/env bash
# Runs an x86-64 or AArch64 program under qemu-user, and writes a perf.data with its branch stacks.
#   record-program.sh OUT.data [key=value ...] -- PROGRAM [ARG ...]
# README.md lists the keys. Needs Debian's qemu-user and gcc.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
usage() { sed -n '2,4s/^# \{0,1\}//p' "$0" >&2; exit 2; }

[ $# -ge 3 ] || usage
plugin_options=out=$1; shift
while [ $# -gt 0 ] && [ "$1" != -- ]; do plugin_options+=,$1; shift; done
[ $# -ge 2 ] || usage
shift
program=$(command -v "$1"); shift

case $(od -An -tu2 -j18 -N2 "$program" | tr -d ' ') in # e_machine
  62) qemu=qemu-x86_64 ;;
  183) qemu=qemu-aarch64 ;;
  *) echo "$program: not an x86-64 or AArch64 ELF" >&2; exit 2 ;;
esac
plugin=$("$here/build-plugin.sh")
# An empty environment: the dynamic linker walks it, which would make every recording differ.
exec env -i ${LD_LIBRARY_PATH:+LD_LIBRARY_PATH="$LD_LIBRARY_PATH"} \
  "$(command -v $qemu)" ${QEMU_CPU:+-cpu "$QEMU_CPU"} -plugin "file=$plugin,$plugin_options" "$program" "$@"
