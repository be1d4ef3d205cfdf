#!/bin/bash
# Builds dtm and dtmd as they are shipped (release, the Swift library linked in, stripped) and puts
# them into .build-static/programs.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=packaging/environment.sh
. packaging/environment.sh
need_packages "${build_packages[@]}"
find_swift

scratch=.build-static
programs=$scratch/programs
# Generic types are made by calls and not from their mangled names, for which the runtime searches all
# conformances of the program at each type's first use: a quarter of a short command's instructions.
options=(-c release --static-swift-stdlib --scratch-path "$scratch"
  -Xswiftc -Xfrontend -Xswiftc -disable-concrete-type-metadata-mangled-name-accessors
  --disable-local-rpath)
# The loader's work is most of a short command: the C++ library, which only Swift's own uses, comes with
# thousands of names to look up, and is linked in.
archive=$(clang -print-file-name=libstdc++.a 2>/dev/null) || archive=
if [ -f "$archive" ]; then
  mkdir -p "$scratch/libraries"
  ln -sf "$archive" "$scratch/libraries/"
  options+=(-Xlinker "-L$PWD/$scratch/libraries")
fi
# dtm, which comes and goes, stands at a fixed address: else 57,000 pointers are moved at each start, which
# takes a third of it. dtmd, which stays and listens, is moved.
swift build "${options[@]}" --product dtm -Xlinker -no-pie
swift build "${options[@]}" --product dtmd
built=$(swift build "${options[@]}" --show-bin-path)
mkdir -p "$programs"
for program in dtm dtmd; do
  # Published whole by a rename: a program that runs just now keeps its own file.
  strip -o "$programs/.$program.new" "$built/$program"
  chmod 755 "$programs/.$program.new"
  mv -f "$programs/.$program.new" "$programs/$program"
done
ls -l "$programs"
