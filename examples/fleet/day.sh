#!/usr/bin/env bash
# Makes the profiles of a fleet once a day, from the traces that its hosts have collected.
#
#   day.sh SPOOL SUMS TODAY BINARIES PUBLISHED
#
# SPOOL      traces of all hosts by day: SPOOL/day=2026-11-29/*.parquet. Each host fills its own folder with
#            perf record -b -a -N --buildid-mmap -o - | autofdo-gen collect --perfdata - -o FOLDER --rotate 10m
#            (without -b where the CPU records no branches) and moves finished files here, to any object store or disk.
# SUMS       the sum of each day, by day and build id: SUMS/day=2026-11-29/build_id=ab12/*.parquet. The files of a day in
#            SPOOL are not needed after its sum is made. To make the sum again, run the script for that day again.
# TODAY      the day whose traces are added up, for example 2026-11-29. The profiles are those of the week that ends then
# BINARIES   folder with the binaries of the running releases, and their debug files
# PUBLISHED  folder with one profile for each binary, from which builds take the profiles
#
# SUM names the program that adds up the traces: python3 sum_duckdb.py, or spark-submit sum_spark.py.
set -euo pipefail
spool=$1 sums=$2 today=$3 binaries=$4 published=$5
week=7
here=$(dirname "${BASH_SOURCE[0]}")
read -ra sum <<< "${SUM:-}"
[ ${#sum[@]} -gt 0 ] || sum=(python3 "$here/sum_duckdb.py")
mkdir -p "$sums" "$published"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# 1. Add up the traces of today, and then the sums of the week. Newer days have more weight.
rm -rf "$sums/.$today"
"${sum[@]}" "$spool" "$today" 1 "$sums/.$today"
rm -rf "$sums/day=$today"
mv "$sums/.$today" "$sums/day=$today"
"${sum[@]}" "$sums" "$today" "$week" "$work/week"

# 2. One profile for each binary that has traces.
autofdo-gen --binary-dir "$binaries" --traces "$work/week" -o "$work/profiles"

# 3. Compare with the profiles in use, and publish. A profile that has hardly anything in common with yesterday's is looked at
#    by a person first: the load may have changed, or a build may have lost its debug information.
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
