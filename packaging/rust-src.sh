#!/usr/bin/env bash
# Installs the source of Rust's standard library in the folder where cargo looks for it. `node packaging/addon.mjs`
# can then build addons for processors and C libraries for which rustup has no standard library, or cannot fetch it.
# The source comes from rustup, or from Debian's package of the same version.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
place=$(rustc --print sysroot)/lib/rustlib/src/rust

[ -d "$place/library/std" ] && { echo "all there: $place"; exit; }
timeout 120 rustup component add rust-src 2> /dev/null && [ -d "$place/library/std" ] && exit

version=$(rustc --version | cut -d' ' -f2)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$here/from-debian.sh" trixie-backports rust-src "$version*" "$folder"
mkdir -p "$(dirname "$place")"
# A link of an earlier install may lead to a folder that no longer exists.
rm -rf "$place"
mv "$folder/usr/src/rustc-$version" "$place"
echo "from Debian: $place"
