#!/bin/bash
# Makes the fixture in $2 (beside it) with the program in $1: a repository of format 1 as the version that
# was current then wrote it; with `collected` in $3 one whose second snapshot was forgotten and collected,
# so that all its packs are sealed. Run it for a new format only: what stands here is what must stay readable.
set -eu
program=$(realpath "$1")
here=$(realpath "${2:-$(dirname "$0")}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME=$work TZ=UTC DTM_CONFIG=$work/none DTM_SOCKET=$work/none
mkdir "$work/lake" && cd "$work/lake"

seq 1 60000 >large.csv
printf 'small\n' >small
: >empty
mkdir -p raw/nested hollow
for i in $(seq 1 90); do printf 'row %s\n' "$i" >"raw/$i"; done
head -c 3000 /dev/urandom >raw/nested/random
ln -s large.csv link
ln raw/1 hard
chmod 600 small
touch -d '1969-07-20 20:17:40.5' raw/2
truncate -s 1M sparse
printf x | dd of=sparse bs=1 seek=700000 conv=notrunc status=none
"$program" init --no-first-snapshot >/dev/null
snapshot() {
  "$program" snapshot --json "$@" | sed -n 's/^ *"id": "\(.*\)",/\1/p' | head -1 >"$work/id"
  mkdir -p "$work/states"
  cp -a . "$work/states/$(cat "$work/id")"
  rm -rf "$work/states/$(cat "$work/id")/.dtm"
  cat "$work/id" >>"$work/ids"
}
snapshot -m first
sed -i '777d' large.csv
rm raw/3
snapshot -m second --label stage=clean
"$program" tag v1 HEAD >/dev/null
"$program" branch side HEAD~1 >/dev/null
mv raw renamed
snapshot -m third
if [ "${3:-}" = collected ]; then
  "$program" tag -d v1 >/dev/null
  "$program" tag v1 HEAD~2 >/dev/null
  "$program" forget HEAD~1 >/dev/null
  "$program" gc --now >/dev/null
  sed -i 2d "$work/ids"
fi

rm -rf "$here/repository" "$here/expected.json"
cp -a .dtm "$here/repository"
rm -rf "$here/repository"/{index,state,journal,trash,locks,live/.keep}
chmod -R u+w "$here/repository"
python3 - "$work" >"$here/expected.json" <<'PYTHON'
import hashlib, json, os, stat, sys

def entry(path):
    status = os.lstat(path)
    found = {"mode": stat.S_IMODE(status.st_mode), "mtime": status.st_mtime_ns}
    if stat.S_ISLNK(status.st_mode):
        return {"kind": "symlink", "target": os.readlink(path)}
    if stat.S_ISDIR(status.st_mode):
        return {"kind": "directory", "mode": found["mode"]}
    with open(path, "rb") as file:
        data = file.read()
    return found | {"kind": "file", "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}

work = sys.argv[1]
ids = open(work + "/ids").read().split()
result = []
for name in ids:
    root = f"{work}/states/{name}"
    paths = sorted(os.path.relpath(os.path.join(at, n), root)
                   for at, dirs, files in os.walk(root) for n in dirs + files)
    result.append({"id": name, "entries": {path: entry(os.path.join(root, path)) for path in paths}})
json.dump(result, sys.stdout, indent=1, sort_keys=True)
print()
PYTHON
