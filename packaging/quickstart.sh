#!/bin/bash
# Shows the main job on real files: a folder is protected, a pipeline bug damages a table, the table
# comes back; then the whole folder is removed and comes back.
#
#   packaging/quickstart.sh [DIR]
#
# Works in a scratch folder that is removed at the end, or in DIR (new or empty), which is left for
# you to look at. Needs no root. Builds the programs first, unless DTM_PROGRAMS names the folder
# that holds them. Any proof that fails ends it with a status other than 0.
set -euo pipefail

case ${1:-} in
-*)
  sed -n '2,/^set /{s/^# \{0,1\}//;/^set /d;p}' "$0"
  exit 64
  ;;
esac
given=${1:-}
here=$(cd "$(dirname "$0")" && pwd)

# 1. The programs.
if [ -n "${DTM_PROGRAMS:-}" ]; then
  programs=$(cd "$DTM_PROGRAMS" && pwd)
else
  # shellcheck source=packaging/environment.sh
  . "$here/environment.sh"
  need_packages sqlite3
  "$here/build.sh"
  programs=$(cd "$here/../.build-static/programs" && pwd)
fi
export PATH="$programs:$PATH"
command -v sqlite3 >/dev/null || { echo "quickstart: sqlite3 is missing" >&2; exit 69; }

# 2. A place of our own, and what ends with us.
if [ -n "$given" ]; then
  mkdir -p "$given"
  scratch=$(cd "$given" && pwd)
  [ -z "$(ls -A "$scratch")" ] || { echo "quickstart: $scratch is not empty" >&2; exit 73; }
else
  scratch=$(mktemp -d "${TMPDIR:-/tmp}/dtm-quickstart.XXXXXX")
fi
case $scratch in
*[\"\\]*) echo "quickstart: $scratch: quotes do not go into this JSON" >&2; exit 64 ;;
esac
daemon=
clean_up() {
  local status=$?
  if [ -n "$daemon" ]; then
    kill -TERM "$daemon" 2>/dev/null || true
    wait "$daemon" 2>/dev/null || true
  fi
  if [ "$status" != 0 ] && [ -s "$scratch/dtmd.log" ]; then
    printf '\nThe last lines of the daemon:\n' >&2
    tail -n 20 "$scratch/dtmd.log" >&2
  fi
  [ -n "$given" ] || rm -rf "$scratch"
  exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

cd "$scratch"
export DTM_CONFIG=$scratch/dtmd.json DTM_SOCKET=$scratch/dtmd.sock
# Nothing of the caller's is asked.
unset DTM_FOLDER

say() { printf '\n%s\n' "$*"; }
run() { # COMMAND...: shows it, runs it
  printf '$ %s\n' "$*"
  "$@"
}
fail() {
  printf '\nquickstart: FAILED: %s\n' "$*" >&2
  exit 1
}
digest() { sha256sum "$1" | cut -d ' ' -f 1; }
prove() { # FILE DIGEST WORDS
  [ "$(digest "$1")" = "$2" ] || fail "$1 is not $3: $(digest "$1"), expected $2"
  printf '$ sha256sum %s\n%s  %s   (is %s)\n' "$1" "$2" "$1" "$3"
}
settle() { run dtm -C lake wait --timeout 60s || fail "the folder was not captured in 60 s"; }
head_id() { # the newest snapshot's id, whole
  local id
  id=$(dtm -C lake show HEAD --json | grep -o '"id": *"[0-9a-f]\{64\}"' | head -n 1 | grep -o '[0-9a-f]\{64\}')
  [ -n "$id" ] || fail "dtm show --json gave no id"
  echo "$id"
}
# Everything but the folder's own mark: contents and, on lines of their own, kinds, modes, sizes,
# times, owners and where links point (a directory's time and size are not the user's).
list_contents() {
  (cd lake && find . -name .dtm -prune -o -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum)
}
list_metadata() {
  (cd lake && find . -name .dtm -prune -o -type d -printf '%y %m %U %G - - %p\n' \
    -o -printf '%y %m %U %G %s %T@ %p %l\n' | LC_ALL=C sort)
}
orders() { # ROWS: a table of orders as CSV
  awk -v rows="$1" 'BEGIN {
    print "order_id,ordered_at,customer,product,amount"
    x = 20221122
    for (i = 1; i <= rows; i++) {
      x = (x * 16807) % 2147483647
      printf "%d,2026-11-%02dT%02d:%02d:%02dZ,C%06d,P%04d,%d.%02d\n", i, 1 + i % 22, x % 24,
        x % 60, int(x / 60) % 60, x % 90000, x % 2500, x % 900, x % 100
    }
  }'
}

# 3. A data folder.
say "A data folder: a table of 200,000 orders, a SQLite database, some thousand real files."
mkdir lake lake/reference
orders 200000 >lake/orders.csv
sqlite3 lake/inventory.db "
  PRAGMA journal_mode = DELETE;
  CREATE TABLE stock (product TEXT PRIMARY KEY, count INTEGER NOT NULL);
  WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 2499)
  INSERT INTO stock SELECT printf('P%04d', i), i * 37 % 500 FROM n;" >/dev/null
(
  cd /usr/share
  find . -xdev \( -type f -o -type l \) -size -512k -readable -print0 2>/dev/null |
    LC_ALL=C sort -z >"$scratch/names" || true
  head -z -n 4000 "$scratch/names" | tar --null --no-recursion -T - -cf - | tar -xf - -C "$scratch/lake/reference"
)
rm names
echo "$(find lake -type f | wc -l) files, $(du -sh lake | cut -f 1)"
good=$(digest lake/orders.csv)
list_contents >contents
list_metadata >metadata

# 4. Protection.
say "A configuration: which folder, where its history lies (outside of it), when it counts as quiet."
cat >dtmd.json <<JSON
{
  "folders": [
    {
      "name": "lake",
      "path": "$scratch/lake",
      "repository": "$scratch/repository",
      "settle": { "quiet": "500ms", "atMost": "30s", "minInterval": "1s" }
    }
  ]
}
JSON
run cat dtmd.json
run dtmd check-config dtmd.json
run dtm init lake --repository "$scratch/repository" --no-first-snapshot

say "The daemon (systemd starts it on a real machine)."
printf '$ dtmd run --config dtmd.json --socket dtmd.sock &\n'
dtmd run --config "$DTM_CONFIG" --socket "$DTM_SOCKET" >dtmd.log 2>&1 &
daemon=$!
for ((i = 0; i < 200; i++)); do
  [ -S dtmd.sock ] && break
  kill -0 "$daemon" 2>/dev/null || fail "the daemon ended"
  sleep 0.05
done
[ -S dtmd.sock ] || fail "the daemon made no socket in 10 s"

say "It takes the first snapshot by itself as soon as the folder is quiet."
settle
run dtm -C lake show HEAD
before=$(head_id)

# 5. The bug.
say "A pipeline run with a bug: the stock is right, but of the orders only 96 are written."
printf '$ ./nightly-pipeline\n'
sqlite3 lake/inventory.db "UPDATE stock SET count = count + 1000 WHERE product < 'P0100';"
orders 96 >lake/orders.csv
bad=$(digest lake/orders.csv)
stock=$(digest lake/inventory.db)
wc -l lake/orders.csv

say "The daemon has recorded that too: nothing is overwritten, neither the good state nor the bad."
settle
run dtmd status || fail "dtmd status says that the folder is not protected (status $?)"
run dtm -C lake log
run dtm -C lake diff "${before:0:12}" HEAD
[ "$(head_id)" != "$before" ] || fail "the damage made no snapshot"

# 6. Back.
say "The table goes back to its newest version that differs from what is there."
run dtm -C lake restore orders.csv
prove lake/orders.csv "$good" "the good table"
prove lake/inventory.db "$stock" "the new stock: what was not asked for was left alone"

say "A restore is no risk: it can be taken back, and that too."
run dtm -C lake undo
prove lake/orders.csv "$bad" "the damaged table again"
run dtm -C lake redo
prove lake/orders.csv "$good" "the good table again"

# 7. The whole folder.
say "The worst: the whole folder is gone."
list_contents >contents
list_metadata >metadata
settle
run rm -rf lake
say "The daemon holds the folder: missing is not deleted, so no snapshot of deletions is made."
held=
for ((i = 0; i < 100; i++)); do
  status=0
  dtmd status >status.txt 2>&1 || status=$?
  [ "$status" = 2 ] && { held=1; break; }
  sleep 0.1
done
printf '$ dtmd status\n'
cat status.txt
[ -n "$held" ] || fail "dtmd status does not say that the folder is unprotected (status $status)"
run dtm -C lake restore
list_metadata >metadata.now
(cd lake && sha256sum --quiet -c ../contents) || fail "a file did not come back as it was"
list_contents | cmp - contents || fail "there are other files than before"
diff metadata metadata.now >&2 || fail "modes, owners, times or links differ"
echo "$(wc -l <contents) files are back, with contents, modes, owners and times (sha256sum -c)"

# 8. The end.
settle
say "Every byte of the history is checked against its SHA-256."
run dtm -C lake verify --all --read-data

say "The daemon stops."
printf '$ kill -TERM %s\n' "$daemon"
kill -TERM "$daemon"
status=0
wait "$daemon" || status=$?
daemon=
[ "$status" = 0 ] || fail "the daemon ended with status $status"

cat <<'WORDS'

That was the main job. To set it up for good, as root:

  install -m 755 .build-static/programs/dtm .build-static/programs/dtmd /usr/local/bin/
  install -m 644 packaging/systemd/dtmd.service /etc/systemd/system/
  systemctl daemon-reload
  systemctl enable --now dtmd
  dtm protect /srv/data/lake

From then on `dtm log`, `dtm diff` and `dtm restore` work in that folder, `dtmd status` says whether
all is well, and `journalctl -u dtmd` what happened.
WORDS
[ -z "$given" ] || printf '\nThe folder, its history and the daemon'\''s log are in %s\n' "$scratch"
