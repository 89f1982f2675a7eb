#!/usr/bin/env bash
# Makes the profiles of a fleet once a day, from the traces that its hosts have collected. README.md has the commands.
usage='usage: day.sh SPOOL SUMS TODAY BINARIES PUBLISHED

SPOOL      traces of all hosts by day: SPOOL/day=2026-11-29/*.parquet. The files of a day are not needed after
           the sum of the day is made
SUMS       the sum of each day, by day and build id: SUMS/day=2026-11-29/build_id=ab12/*.parquet
TODAY      the day whose traces are added up, such as 2026-11-29. The profiles are those of the week that ends then
BINARIES   folder with the binaries of the running releases, and their debug files
PUBLISHED  folder with one profile for each binary, from which builds take the profiles

SUM        (environment) command that adds up traces: "python3 sum_duckdb.py" (default), "spark-submit ..."
THRESHOLD  (environment) least similarity to the profile in use, in percent, at which a profile is published
           (default: 50)'
set -euo pipefail
if [ $# -ne 5 ] || ! [[ $3 =~ ^[0-9]{4}-[0-9]{2}-[0-9]{2}$ ]]; then
  printf '%s\n' "$usage" >&2
  exit 2
fi
spool=$1 sums=$2 today=$3 binaries=$4 published=$5
week=7
here=$(dirname "${BASH_SOURCE[0]}")
read -ra sum <<< "${SUM:-}"
[ ${#sum[@]} -gt 0 ] || sum=(python3 "$here/sum_duckdb.py")
mkdir -p "$sums" "$published"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# 1. Add up the traces of today, and then the sums of the week. Newer days have more weight. The sum of today that is
#    there already stays until the new one is complete.
new=$sums/.new-$today old=$sums/.old-$today
# A run that was killed between the two moves below has left the sum under its other name.
if [ -e "$old" ] && [ ! -e "$sums/day=$today" ]; then mv "$old" "$sums/day=$today"; fi
rm -rf "$new"
if ! "${sum[@]}" "$spool" "$today" 1 "$new" || [ -z "$(find "$new" -name '*.parquet' -print -quit)" ]; then
  rm -rf "$new"
  echo "error: no sum of the traces in $spool/day=$today was made; $sums/day=$today and the profiles stay" >&2
  exit 1
fi
rm -rf "$old"
[ ! -e "$sums/day=$today" ] || mv "$sums/day=$today" "$old"
mv "$new" "$sums/day=$today"
rm -rf "$old"
"${sum[@]}" "$sums" "$today" "$week" "$work/week"

# 2. One profile for each binary that has traces. -v also names the files that have traces and are not in the folder.
autofdo-gen --binary-dir "$binaries" --traces "$work/week" -o "$work/profiles" -v

# 3. Compare with the profiles in use, and publish. A profile that has hardly anything in common with yesterday's is
#    looked at by a person first: the load may have changed, or a build may have lost its debug information.
status=0
for profile in "$work/profiles"/*.afdo; do
  name=$(basename "$profile")
  if [ -e "$published/$name" ]; then
    compared=0
    autofdo-gen overlap "$published/$name" "$profile" --threshold "${THRESHOLD:-50}" > "$work/overlap.txt" || compared=$?
    if [ "$compared" -ne 0 ]; then
      # The command prints its table only if it has compared the profiles. A failure before that has status 1, too.
      if [ "$compared" -eq 1 ] && [ -s "$work/overlap.txt" ]; then
        echo "$name is unlike the profile in use, which stays:" >&2
        head -n 12 "$work/overlap.txt" >&2
      else
        echo "error: $name was not compared with $published/$name, which stays; remove that file if it is damaged" >&2
      fi
      status=1
      continue
    fi
  fi
  mv "$profile" "$published/.$name" && mv "$published/.$name" "$published/$name"
  echo "published $name"
done
exit "$status"
