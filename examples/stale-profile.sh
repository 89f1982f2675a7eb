#!/bin/sh
# Usage: stale-profile.sh PROFILE BINARY PERF.DATA [SIMILARITY]
# For a CI job that runs each night. Makes a profile of today's recording, and fails if the similarity of
# the profile in use to today's profile is below SIMILARITY percent (default 80).
set -eu

npx autofdo-gen --binary "$2" --perfdata "$3" -o today.afdo
npx autofdo-gen overlap "$1" today.afdo --threshold "${4:-80}"
