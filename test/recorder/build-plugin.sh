#!/usr/bin/env bash
# Compiles the recorder if its sources changed, and prints its path.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${XDG_CACHE_HOME:-${TMPDIR:-/tmp}}/autofdo-gen-recorder-$(id -u)
mkdir -p "$cache"
plugin=$cache/branch_recorder-$(cat "$here"/*.[ch] | sha256sum | cut -c1-16).so
if [ ! -f "$plugin" ]; then
  "${CC:-gcc}" -std=gnu11 -O2 -Wall -Wextra -Werror -fPIC -shared -fvisibility=hidden -o "$plugin.$$" "$here"/*.c -lpthread
  mv "$plugin.$$" "$plugin" # the file is complete or absent, because two builds may run at once
fi
echo "$plugin"
