#!/bin/bash
# Measures dtm and dtmd beside the programs that do similar work, and prints a table as Markdown.
#
#   packaging/bench.sh [--only NAME]... [--runs N] [--no-peers] [--quick] [--long] [--list]
#
# --only      only the workloads whose names begin so (--list says which there are)
# --runs      so many runs of each (5)
# --no-peers  dtm alone
# --quick     one run of each
# --long      folders of a million files too
#
# As root on Debian it installs the other programs; otherwise it measures beside those that are
# there. Builds dtm and dtmd first, unless DTM_PROGRAMS names the folder that holds them. Works
# beneath TMPDIR, in some GB, and leaves nothing there.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=packaging/environment.sh
. packaging/environment.sh

case ${1:-} in
-h | --help)
  sed -n '2,/^set /{s/^# \{0,1\}//;/^set /d;p}' packaging/bench.sh
  exit 0
  ;;
esac
peers=1
list=
for option in "$@"; do
  case $option in
  --no-peers) peers= ;;
  --list) list=1 ;;
  esac
done

find_swift
if [ -n "$peers" ] && [ -z "$list" ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    need_packages restic borgbackup git casync zstd >&2
  fi
  for program in restic borg git casync zstd; do
    command -v "$program" >/dev/null || echo "bench: without $program: not installed" >&2
  done
fi
if [ -z "$list" ] && [ -z "${DTM_PROGRAMS:-}" ]; then
  packaging/build.sh >&2
fi
scratch=$PWD/.build-bench
swift build -c release --package-path Tests/Benchmarks --scratch-path "$scratch" >&2
exec "$scratch/release/Benchmarks" --programs "${DTM_PROGRAMS:-.build-static/programs}" "$@"
