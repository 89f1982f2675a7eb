#!/usr/bin/env bash
# Installs the source of Rust's standard library where cargo looks for it, so that `node packaging/addon.mjs` can build
# addons for processors and C libraries that rustup has nothing for, or that it cannot reach: from rustup, or from
# Debian's package of the same version.
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
# A link of an earlier install may lead nowhere.
rm -rf "$place"
mv "$folder/usr/src/rustc-$version" "$place"
echo "from Debian: $place"
