#!/bin/sh
# Usage: kernel.sh VMLINUX PERF.DATA OUTPUT
# Checks whether a recording of a kernel is long enough, and makes the profile that `make LLVM=1
# CLANG_AUTOFDO_PROFILE=OUTPUT` takes. docs/kernel.md tells how to record.
set -eu

npx autofdo-gen doctor --binary "$1" --perfdata "$2"
npx autofdo-gen --binary "$1" --perfdata "$2" -o "$3"
