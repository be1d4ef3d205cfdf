# shellcheck shell=bash
# Read by the other scripts: finds the Swift toolchain and what Debian has to give.

# Prints a message for people and ends with a sysexits(3) status.
give_up() { # STATUS LINE...
  local status=$1
  shift
  printf '%s\n' "$@" >&2
  exit "$status"
}

# Puts a Swift 6.2 or later first in PATH. Debian's python3-swiftclient installs another program of
# that name in /usr/bin, so each candidate has to say what it is.
find_swift() {
  local directory candidates=() version
  IFS=: read -r -a candidates <<<"$PATH"
  candidates+=("${SWIFTLY_BIN_DIR:-$HOME/.local/share/swiftly/bin}")
  candidates+=(/opt/swift*/usr/bin /usr/local/swift*/usr/bin /usr/libexec/swift/bin)
  for directory in "${candidates[@]}"; do
    [ -x "$directory/swift" ] || continue
    version=$("$directory/swift" --version 2>/dev/null) || continue
    [[ $version =~ Swift\ version\ ([0-9]+)\.([0-9]+) ]] || continue
    ((BASH_REMATCH[1] * 100 + BASH_REMATCH[2] >= 602)) || continue
    export PATH="$directory:$PATH"
    return 0
  done
  give_up 69 "No Swift 6.2 or later was found." \
    "Install the toolchain (https://www.swift.org/install/linux/) and put its bin folder into PATH."
}

# Says by a command of its own whether a Debian package's content is there: it may have come from
# elsewhere, and asking dpkg would refuse other distributions.
has_package() { # PACKAGE
  case $1 in
  libzstd-dev) pkg-config --exists libzstd ;;
  libsystemd-dev) pkg-config --exists libsystemd ;;
  libsqlite3-dev) pkg-config --exists sqlite3 ;;
  pkg-config) command -v pkg-config ;;
  binutils) command -v strip && command -v readelf ;;
  # Debian's own: another python3 may stand before it in PATH, without Debian's modules.
  python3) [ -x /usr/bin/python3 ] ;;
  python3-zstandard) /usr/bin/python3 -c 'import zstandard' ;;
  systemd) [ -x /lib/systemd/systemd-journald ] ;;
  systemd-container) command -v systemd-nspawn ;;
  xfsprogs) command -v mkfs.xfs ;;
  btrfs-progs) command -v mkfs.btrfs ;;
  e2fsprogs) command -v mkfs.ext4 ;;
  mount) command -v losetup ;;
  acl) command -v setfacl ;;
  attr) command -v setfattr ;;
  borgbackup) command -v borg ;;
  util-linux) command -v setsid && command -v setpriv ;;
  *) command -v "$1" ;;
  esac >/dev/null 2>&1
}

# Installs what is missing of these packages; as an ordinary user says what to install.
need_packages() { # PACKAGE...
  local package missing=()
  for package in "$@"; do
    has_package "$package" || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    give_up 69 "Missing: ${missing[*]}" "Install it: sudo apt-get install -y ${missing[*]}"
  fi
  echo "Installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null 2>&1 && return 0
  # The lists may be old or not there at all.
  apt-get update -q >/dev/null || give_up 69 "apt-get update failed."
  apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null ||
    give_up 69 "apt-get could not install ${missing[*]}"
}

# What building needs.
# shellcheck disable=SC2034
build_packages=(pkg-config libzstd-dev libsystemd-dev libsqlite3-dev binutils)
