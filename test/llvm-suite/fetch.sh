#!/usr/bin/env bash
# Puts llvm-profgen's own tests, from Debian's source package of LLVM 19, into DIR/llvm-profgen.
#   fetch.sh DIR
# Downloads 164 MB once and keeps 5 MB. The system's own apt settings stay unchanged: a list of source repositories,
# made from apt's binary repositories, and a folder for their indexes are both inside DIR.
set -euo pipefail
[ $# -eq 1 ] || { sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2; }
mkdir -p "$1"; cd "$1"
[ -d llvm-profgen ] && exit

mkdir -p apt/lists/partial
apt-get indextargets 'Created-By: Packages' 'Origin: Debian' --format \
  'deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(REPO_URI) $(RELEASE) $(COMPONENT)' |
  sort -u > apt/sources.list
apt=(apt-get -qq -o "Dir::Etc::sourcelist=$PWD/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null
  -o "Dir::State::lists=$PWD/apt/lists" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=)
"${apt[@]}" update
(cd apt && "${apt[@]}" source --tar-only --only-source llvm-toolchain-19)
tar -xJf apt/llvm-toolchain-19_*.orig.tar.xz -C apt --no-same-owner --strip-components=4 \
  --wildcards '*/llvm/test/tools/llvm-profgen'
mv apt/llvm-profgen . # last: its presence says that all is there
rm -r apt
