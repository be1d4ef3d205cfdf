#!/bin/bash
# The one test command: installs what is missing, lints, builds, shows the main job on real files,
# runs every test. README.md and .ci/run call it.
#
#   packaging/test.sh [--long] [--filter REGEX]
#
# --long    the long forms of torture and crash tests too (DTM_TEST_LONG=1)
# --filter  only the tests whose names match; no lint, no quick start, no fuzzing
#
# What the tests see in their environment:
#   DTM_PROGRAMS   the folder of the static programs, for the end-to-end tests
#   DTM_TEST_LONG  1 with --long
# A test that cannot run here prints `SKIPPED: <name>: <why>`. With CI=true that is a failure.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=packaging/environment.sh
. packaging/environment.sh

filter=
long=
while [ $# -gt 0 ]; do
  case $1 in
  --long) long=1 ;;
  --filter)
    [ $# -ge 2 ] || give_up 64 "--filter needs a regular expression"
    filter=$2
    shift
    ;;
  -h | --help)
    sed -n '2,/^set /{s/^# \{0,1\}//;/^set /d;p}' packaging/test.sh
    exit 0
    ;;
  *) give_up 64 "usage: packaging/test.sh [--long] [--filter REGEX]" ;;
  esac
  shift
done

scratch=$(mktemp -d "${TMPDIR:-/tmp}/dtm-test.XXXXXX")
session=
# Everything the tests start belongs to the session of `swift test`: what is left of it ends here.
stop_session() {
  [ -n "$session" ] || return 0
  local status pid fields
  for status in /proc/[0-9]*/stat; do
    fields=$(cat "$status" 2>/dev/null) || continue
    # pid (comm) state ppid pgrp session …; the name may hold spaces and parentheses.
    # shellcheck disable=SC2086
    set -- ${fields##*) }
    [ "${4:-}" = "$session" ] || continue
    pid=${status#/proc/}
    kill -KILL "${pid%/stat}" 2>/dev/null || true
  done
  session=
}
clean_up() {
  stop_session
  rm -rf "$scratch"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

ran=()
step() { # NAME
  ran+=("$1")
  printf '\n== %s\n' "$1"
}

step "packages"
need_packages "${build_packages[@]}" util-linux sqlite3 strace python3 python3-zstandard acl attr git rsync
if [ "$(id -u)" = 0 ]; then  # for tests that only root can run
  need_packages systemd systemd-container xfsprogs btrfs-progs e2fsprogs mount stress-ng bindfs
fi
find_swift
swift --version 2>/dev/null | head -n 1

if [ -z "$filter" ]; then
  step "lint"
  swift format lint --strict -r Package.swift Sources Tests

  step "the Python reader against its own fixtures"
  /usr/bin/python3 Tests/Compatibility/test_reader.py
fi

step "build of the tests"
swift build -c release --build-tests

step "build of the programs"
packaging/build.sh
programs=$PWD/.build-static/programs

step "linkage of the programs"
for program in dtm dtmd; do
  while read -r library; do
    case $library in
    libc.so.* | libm.so.* | libgcc_s.so.* | libstdc++.so.* | ld-linux*) ;;
    libzstd.so.* | libsqlite3.so.* | libsystemd.so.*) ;;
    *) give_up 1 "$program needs $library: the programs bring everything but C libraries" ;;
    esac
  done < <(readelf -d "$programs/$program" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
  size=$(stat -c %s "$programs/$program")
  echo "$program $((size / 1024)) KiB"
  [ "$size" -le $((40 * 1024 * 1024)) ] ||
    give_up 1 "$program has $size bytes: has full Foundation come in?"
done

if [ -z "$filter" ]; then
  step "quick start"
  packaging/quickstart.sh
  if [ "$(id -u)" = 0 ]; then
    step "quick start as an ordinary user"
    # A copy that anyone may read: the clone may lie in a private folder.
    mkdir "$scratch/user" "$scratch/user/programs" "$scratch/user/home"
    cp "$programs/dtm" "$programs/dtmd" "$scratch/user/programs/"
    cp packaging/quickstart.sh "$scratch/user/"
    chmod 755 "$scratch" "$scratch/user" "$scratch/user/programs" "$scratch/user/quickstart.sh"
    chown -R 65534:65534 "$scratch/user/home"
    (cd / && setpriv --reuid=65534 --regid=65534 --clear-groups \
      env -u XDG_RUNTIME_DIR -u XDG_STATE_HOME -u XDG_CONFIG_HOME HOME="$scratch/user/home" \
      DTM_PROGRAMS="$scratch/user/programs" "$scratch/user/quickstart.sh")
  fi
fi

step "tests"
export DTM_PROGRAMS=$programs DTM_TEST_LONG=${long:+1}
[ -n "$long" ] || unset DTM_TEST_LONG
arguments=(test -c release --disable-xctest --skip-build)
[ -z "$filter" ] || arguments+=(--filter "$filter")
log=$scratch/tests.log
mkfifo "$scratch/output"
tee "$log" <"$scratch/output" &
output=$!
setsid swift "${arguments[@]}" >"$scratch/output" 2>&1 &
session=$!
status=0
wait "$session" || status=$?
stop_session
wait "$output" || true
[ "$status" = 0 ] || give_up 1 "" "Tests failed (status $status):" "$(grep '^✘' "$log" | head -n 40)"
grep -q 'Test run with [1-9]' "$log" || give_up 1 "No test ran."

if [ -z "$filter" ]; then
  step "fuzzing of the decoders"
  packaging/fuzz.sh
fi

# Swift Testing has a line of its own for tests that a trait holds back: `Test "its name" skipped`.
# A name in quotes may hold the word too.
skipped=$(grep -E '^SKIPPED: |^[^ ]+ (Test|Suite) (".*"|[^" ]+) skipped(: "|\.$)' "$log" || true)

printf '\n== What ran\n'
printf '%s\n' "${ran[@]}"
sed -n 's/^[^ ]* Suite \(.*\) passed after.*/  \1/p' "$log" | sort
if [ -n "$skipped" ]; then
  printf '\n== What did not run\n%s\n' "$skipped"
  [ "${CI:-}" != true ] || give_up 1 "In CI a skipped test is a failure."
fi
printf '\nAll passed.\n'
