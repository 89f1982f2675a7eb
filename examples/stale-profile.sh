#!/bin/sh
# Usage: stale-profile.sh PROFILE BINARY PERF.DATA [SIMILARITY]
# For a CI job that runs each night: makes a profile of today's recording, and fails if the profile
# in use is less than SIMILARITY percent like it (80 if not given).
set -eu

npx autofdo-gen --binary "$2" --perfdata "$3" -o today.afdo
npx autofdo-gen overlap "$1" today.afdo --threshold "${4:-80}"
