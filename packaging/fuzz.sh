#!/bin/bash
# Fuzzes the decoders: libFuzzer with the address sanitizer, two targets at a time.
#
#   packaging/fuzz.sh [--seconds N] [--seeds] [TARGET...]
#
# --seconds  so long each (10)
# --seeds    writes the seeds of the targets into the corpus anew, and fuzzes nothing
#
# TARGETs are the directories of Tests/Fuzzing/Corpus; all of them where none is named. What a run
# finds beside the corpus stays in Tests/Fuzzing/.build/corpus/TARGET and is where the next one
# begins. An input that crashes, hangs or takes too much memory stays in
# Tests/Fuzzing/.build/findings and ends the script with status 1.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=packaging/environment.sh
. packaging/environment.sh

# Of one input, in bytes; tables of 256 cells and more have to fit.
input_limit=8192
memory_limit_in_mib=512
input_timeout=5

seconds=10
seeds=
targets=()
while [ $# -gt 0 ]; do
  case $1 in
  --seconds)
    [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || give_up 64 "--seconds needs a number"
    seconds=$2
    shift
    ;;
  --seeds) seeds=1 ;;
  -h | --help)
    sed -n '2,/^set /{s/^# \{0,1\}//;/^set /d;p}' packaging/fuzz.sh
    exit 0
    ;;
  -*) give_up 64 "usage: packaging/fuzz.sh [--seconds N] [--seeds] [TARGET...]" ;;
  *) targets+=("$1") ;;
  esac
  shift
done
corpus=Tests/Fuzzing/Corpus
if [ ${#targets[@]} = 0 ]; then
  for directory in "$corpus"/*/; do targets+=("$(basename "$directory")"); done
fi
for target in "${targets[@]}"; do
  [ -d "$corpus/$target" ] || give_up 64 "There is no directory $corpus/$target."
done

find_swift
swift build -c release --package-path Tests/Fuzzing --product Fuzzer
fuzzer=Tests/Fuzzing/.build/release/Fuzzer
# Swift's own handler of crashes would keep the signal from libFuzzer.
export SWIFT_BACKTRACE=enable=no
# What was freed counts as memory while the sanitizer holds it back: by default 256 MiB.
export ASAN_OPTIONS=quarantine_size_mb=16

if [ -n "$seeds" ]; then
  for target in "${targets[@]}"; do
    DTM_FUZZ_TARGET=$target DTM_FUZZ_SEEDS=$corpus/$target "$fuzzer" >/dev/null
  done
  exit 0
fi

work=Tests/Fuzzing/.build
findings=$work/findings
mkdir -p "$findings"
running=()
stop_all() {
  local pid
  for pid in "${running[@]}"; do kill "$pid" 2>/dev/null || true; done
}
trap stop_all EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

run() { # TARGET
  mkdir -p "$work/corpus/$1" "$work/logs"
  DTM_FUZZ_TARGET=$1 "$fuzzer" "$work/corpus/$1" "$corpus/$1" \
    -max_total_time="$seconds" -max_len=$input_limit -timeout=$input_timeout \
    -rss_limit_mb=$memory_limit_in_mib -artifact_prefix="$findings/$1-" -print_final_stats=1 \
    >"$work/logs/$1" 2>&1 &
  running+=($!)
}

failed=()
report() { # TARGET PID
  local log=$work/logs/$1 status=0 executions coverage
  wait "$2" || status=$?
  executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  coverage=$(sed -n 's/^#.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
  printf '%-14s %10s executions %6s edges\n' "$1" "${executions:-?}" "${coverage:-?}"
  [ "$status" = 0 ] && return 0
  failed+=("$1")
  grep -E 'Fatal error|ERROR|SUMMARY|Test unit written' "$log" || tail -n 20 "$log"
}

for ((index = 0; index < ${#targets[@]}; index += 2)); do
  running=()
  pair=("${targets[@]:index:2}")
  for target in "${pair[@]}"; do run "$target"; done
  for place in "${!pair[@]}"; do report "${pair[place]}" "${running[place]}"; done
done
running=()
[ ${#failed[@]} = 0 ] || give_up 1 "" "Fuzzing failed: ${failed[*]}." \
  "The inputs are in $findings. Again: DTM_FUZZ_TARGET=TARGET $fuzzer INPUT"
