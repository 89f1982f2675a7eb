#!/usr/bin/env bash
# Makes the profiles of a fleet once a day, from the traces that its hosts have collected.
#
#   day.sh SPOOL TODAY BINARIES PUBLISHED
#
# SPOOL      traces of all hosts by day: SPOOL/day=2026-11-29/*.parquet. Each host fills its own folder with
#            perf record -b -a -N --buildid-mmap -o - | autofdo-gen collect --perfdata - -o FOLDER --rotate 10m
#            (without -b where the CPU records no branches) and moves finished files here, to any object store or disk.
# TODAY      the last day whose traces are used, for example 2026-11-29
# BINARIES   folder with the binaries of the running releases, and their debug files
# PUBLISHED  folder with one profile for each binary, from which builds take the profiles
#
# SUM names the program that adds up the traces: python3 sum_duckdb.py, or spark-submit sum_spark.py.
set -euo pipefail
spool=$1 today=$2 binaries=$3 published=$4
here=$(dirname "${BASH_SOURCE[0]}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# 1. Add up the traces. Newer days have more weight.
${SUM:-python3 "$here/sum_duckdb.py"} "$spool" "$today" "$work/sums"

# 2. One profile for each binary that has traces.
autofdo-gen --binary-dir "$binaries" --traces "$work/sums" -o "$work/profiles"

# 3. Compare with the profiles in use, and publish. A profile that has hardly anything in common with yesterday's is looked at
#    by a person first: the load may have changed, or a build may have lost its debug information.
mkdir -p "$published"
status=0
for profile in "$work/profiles"/*.afdo; do
  name=$(basename "$profile")
  if [ -e "$published/$name" ] &&
    ! autofdo-gen overlap "$published/$name" "$profile" --threshold "${THRESHOLD:-50}" > "$work/overlap.txt"; then
    echo "$name is unlike the profile in use, which stays:" >&2
    head -n 12 "$work/overlap.txt" >&2
    status=1
    continue
  fi
  mv "$profile" "$published/.$name" && mv "$published/.$name" "$published/$name"
  echo "published $name"
done
exit "$status"
