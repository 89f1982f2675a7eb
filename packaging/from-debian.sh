#!/usr/bin/env bash
# from-debian.sh SUITE PACKAGE VERSION FOLDER [ARCHITECTURE]: unpacks a package of another suite or another
# architecture of Debian into FOLDER, without installing it. apt checks the signature. VERSION may end with a *.
set -euo pipefail
suite=$1 package=$2 version=$3 folder=$4 architecture=${5:-$(dpkg --print-architecture)}
archive=/usr/share/keyrings/debian-archive-keyring.gpg

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/package" "$folder"
echo "deb [arch=$architecture signed-by=$archive] http://deb.debian.org/debian $suite main" > "$work/sources.list"
apt=(apt-get -qq -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=/dev/null
  -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache"
  -o APT::Architecture="$architecture" -o APT::Sandbox::User=root)
"${apt[@]}" update
(cd "$work/package" && "${apt[@]}" download "$package=$version")
dpkg -x "$work"/package/*.deb "$folder"
