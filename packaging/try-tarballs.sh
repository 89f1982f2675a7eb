#!/bin/sh
# Installs the tarballs in release/ for PLATFORM into an empty folder, and compares the profile of a fixture.
set -eu
root=$PWD
folder=$(mktemp -d)
cd "$folder"
npm init -y > /dev/null
# Addons of other platforms are optional, and no registry has them yet.
npm install "$root"/release/autofdo-gen-[0-9]*.tgz "$root/release/autofdo-gen-binding-$PLATFORM"-[0-9]*.tgz
npx --no-install autofdo-gen --binary "$root/fixtures/calc-x86_64/calc" \
  --perfdata "$root/fixtures/calc-x86_64/perf.data" --format text -o calc.prof
cmp calc.prof "$root/fixtures/calc-x86_64/expected.prof"
echo "the profile is right on $PLATFORM"
