#!/bin/sh
# Prints the text of `perf script -F ip,brstack --show-mmap-events` for a recording with call chains.
#   script-with-chains.sh PERF.DATA
# perf 5.9 to 6.3 prints offsets in files instead of the addresses of call chains, so the samples come from perf's
# dump of the records (-D).
set -eu
perf script --show-mmap-events -F ip,brstack -i "$1" 2>/dev/null | grep PERF_RECORD_MMAP
perf script -D -i "$1" 2>/dev/null | awk '
  function short(digits) {
    sub(/^0+/, "", digits)
    return digits == "" ? "0" : digits
  }
  function end_sample() {
    if (branches != "") printf " %s\n\n", branches
    branches = ""
  }
  /PERF_RECORD_SAMPLE/ { end_sample() }
  $1 !~ /^\.+$/ || $2 !~ /^[0-9]+:$/ || length($3) != 16 { next }
  $4 == "->" { branches = branches "0x" short($3) "/0x" short($5) "/P/-/-/0 " }
  # A call chain also has markers, which are not addresses.
  NF == 3 && $3 !~ /^fffffffffffff/ { printf "\t%16s\n", short($3) }
  END { end_sample() }
'
