#!/usr/bin/python3
"""Reads a Data Time Machine repository of format 1, with nothing of the program itself.

Written from the page Format.md alone, so that a repository stays readable without the program:
Python 3.11 and the module `zstandard` (Debian: python3-zstandard) are all it takes. The other parts
are format1.py (encodings), storage.py (packs, the ref log) and verifier.py (for `verify` only).

    reader.py REPO refs                        all refs, and the sequence of the last record
    reader.py REPO log [FOLDER-ID] [BRANCH]    snapshots, newest first, a JSON line each
    reader.py REPO show SNAPSHOT               one snapshot
    reader.py REPO ls SNAPSHOT                 a JSON line for each entry
    reader.py REPO restore SNAPSHOT DIR        write a snapshot's files to DIR (absent or empty)
    reader.py REPO verify                      check everything that the page promises

SNAPSHOT is an id or the beginning of one. Exit status: 0, or 1 and a message, or 2 for wrong usage.
"""

import base64
import contextlib
import json
import os
import re
import stat
import sys

from format1 import (BLOCK, CHARACTER, CHUNK, CHUNK_LIST, CONTENTS, DEVICE, DIRECTORY, ENTRY_KINDS, FIFO, FILE, INLINE,
                     KINDS, LIST, ONE_CHUNK, PAGE, SNAPSHOT, SOCKET, SYMLINK, TARGET, Bad, Format, check_id, need,
                     parse_attributes, parse_list, parse_page, parse_snapshot, shown, whole)
from storage import Pack, RefLog, note

# The repository


class Repository:
    def __init__(self, path):
        self.problems = []
        try:
            with open(f"{path}/format.json", "rb") as file:
                self.format = Format(file.read(), "format.json")
        except FileNotFoundError:
            raise Bad(f"{path} holds no format.json") from None
        self.log = RefLog(f"{path}/refs", self.format.repository)
        self.packs, self.locations = [], {}
        sealed = sorted(name for name in os.listdir(f"{path}/packs")
                        if re.fullmatch(r"[0-9a-f]{32}\.(data|meta)", name))
        wanted = [(f"{path}/packs/{name}", None) for name in sealed]
        for uuid, kind, length in self.log.live:
            name = f"{uuid.hex()}.{ {1: 'data', 2: 'meta'}.get(kind)}"
            if name not in sealed:  # a pack may have been sealed since
                wanted.append((f"{path}/live/{name}", length))
        if os.path.isdir(f"{path}/trash"):  # what is condemned counts until it is gone
            wanted += [(f"{path}/trash/{name}", None) for name in sorted(os.listdir(f"{path}/trash"))
                       if re.fullmatch(r"[0-9a-f]{32}\.(data|meta)", name) and name not in sealed]
        for file, length in wanted:
            try:
                pack = Pack(file, self.format.fixed, length)
                self.packs.append(pack)
                for identifier, kind, offset, at, size in pack.index():
                    self.locations.setdefault((kind, identifier), []).append((pack, offset, at, size))
            except (Bad, OSError) as error:
                self.problems.append(str(error))

    def close(self):
        for pack in self.packs:
            pack.file.close()

    def object(self, kind, identifier):
        """An object's bytes, of the first pack that has them right."""
        failure = Bad(f"{KINDS[kind]} {identifier.hex()} is in no pack")
        for pack, offset, at, size in self.locations.get((kind, identifier), []):
            try:
                data = pack.content_at(offset)[at:at + size]
                check_id(kind, identifier, data)
                return data
            except Bad as error:
                failure = error
        raise failure

    def snapshot(self, text):
        found = [identifier for kind, identifier in self.locations
                 if kind == SNAPSHOT and text and identifier.hex().startswith(text)]
        need(len(found) == 1, f"{len(found)} snapshots have ids that begin with {text!r}")
        return found[0], parse_snapshot(self.object(SNAPSHOT, found[0]))

    def entries(self, root, check=lambda *_: None):
        """All entries of a tree in key order. `check` gets the name, the level and the keys of each page."""
        need(root is not None, "a snapshot has no root page")
        directories, last = set(), None

        def visit(identifier, top, level, first):
            nonlocal last
            what = f"page {identifier.hex()}"
            found, entries = whole(self.object(PAGE, identifier), parse_page)
            need(top or found == level, f"{what} has level {found}, not {level}")
            # A level with one page has the root, so an inner root has two children; only the empty tree has no entry.
            need(len(entries) >= (2 if found else 0) if top else entries, f"{what} has too few entries")
            need(top or entries[0].key == first, f"{what} does not begin with its key")
            check(what, found, [entry.key for entry in entries])
            count = size = 0
            for entry in entries:
                if found:
                    below = yield from visit(entry.id, False, found - 1, entry.key)
                    need(below == (entry.entries, entry.bytes), f"{what}: the counts of {shown(entry.key)} are wrong")
                    count, size = count + below[0], size + below[1]
                    continue
                need(last is None or entry.key > last, f"{what}: {shown(entry.key)} is out of order")
                parent = entry.key.rpartition(b"\0")[0]
                need(not entry.key or parent in directories,
                     f"{what}: the parent of {shown(entry.key)} is not a directory")
                need(entry.key or entry.kind == DIRECTORY, f"{what}: the folder is not a directory")
                last = entry.key
                if entry.kind == DIRECTORY:
                    directories.add(entry.key)
                count, size = count + 1, size + (entry.size if entry.kind == FILE else 0)
                yield entry
            return count, size

        return visit(root, True, None, None)

    def pieces(self, entry, check=lambda *_: None):
        """(length, id or bytes, or None for a hole) of each piece of a file's content, in order. `check` gets
        the name, the height and the children of each list."""
        if entry.content != CHUNK_LIST:
            yield entry.size, entry.data
            return
        was_hole, total = False, 0

        def visit(identifier, top, height):
            what = f"list {identifier.hex()}"
            found, children = whole(self.object(LIST, identifier), parse_list)
            need(top or found == height, f"{what} has height {found}, not {height}")
            need(not top or len(children) > 1 or children[0][1] is None, f"{what} has one child and no hole")
            check(what, found, children)
            for length, child in children:
                if found:
                    below = yield from visit(child, False, found - 1)
                    need(below == length, f"{what}: a child covers {below} bytes, not {length}")
                else:
                    yield length, child
            return sum(length for length, _ in children)

        for length, child in visit(entry.data, True, None):
            need(not (child is None and was_hole), f"{shown(entry.key)}: a hole follows a hole")
            was_hole, total = child is None, total + length
            need(child is not None or entry.flags & 1, f"{shown(entry.key)} has holes, but is not sparse")
            yield length, child
        need(total == entry.size, f"{shown(entry.key)} has {total} bytes, not {entry.size}")

    def content(self, entry):
        """(length, bytes or None for a hole) of each piece of a file's content."""
        for length, piece in self.pieces(entry):
            if entry.content != INLINE and piece is not None:
                data = self.object(CHUNK, piece)
                need(len(data) == length, f"chunk {piece.hex()} has {len(data)} bytes, not {length}")
                piece = data
            yield length, piece

    def attributes(self, entry):
        if entry.attributes is None:
            return []
        where, data = entry.attributes
        encoded = data if where == 1 else self.object(CHUNK, data)
        need(where == 1 or len(encoded) >= 128, f"{shown(entry.key)}: short attributes in a chunk")
        return whole(encoded, parse_attributes)


# Output


def named(name, data):
    """A JSON member for bytes that are text most of the time, and their base64 when they are not."""
    try:
        return {name: data.decode()}
    except UnicodeDecodeError:
        return {name: data.decode(errors="backslashreplace"), name + "Base64": base64.b64encode(data).decode()}


def path_of(key):
    return named("path", key.replace(b"\0", b"/"))


def snapshot_json(identifier, snapshot):
    value = dict(snapshot, id=identifier.hex(), root=snapshot["root"].hex(), labels=dict(snapshot["labels"]),
                 parent=snapshot["parent"].hex() if snapshot["parent"] else None)
    value["time"] = snapshot["time"][0] * 1_000_000_000 + snapshot["time"][1]
    for name, members in (("totals", ("files", "bytes", "entries")), ("changes", ("added", "modified", "removed")),
                          ("clocks", ("begin", "end")), ("vouched", ("proven", "stable"))):
        value[name] = dict(zip(members, snapshot[name]))
    value["problems"] = [dict(path_of(key), kind=kind, detail=detail) for key, kind, detail in snapshot["problems"]]
    value["uncovered"] = [path_of(key) for key in snapshot["uncovered"]]
    value["hot"] = [path_of(key) for key in snapshot["hot"]]
    return value


def entry_json(repository, entry):
    value = path_of(entry.key)
    value.update(kind=ENTRY_KINDS[entry.kind], mode=f"{entry.mode:04o}", uid=entry.owner[0], gid=entry.group[0],
                 **named("owner", entry.owner[1]), **named("group", entry.group[1]), mtime=entry.mtime,
                 size=entry.size, content=CONTENTS[entry.content], flags=entry.flags, inodeFlags=entry.inode_flags)
    if entry.content in (ONE_CHUNK, CHUNK_LIST):
        value["id"] = entry.data.hex()
    elif entry.content == TARGET:
        value.update(named("target", entry.data))
    elif entry.content == DEVICE:
        value["device"] = entry.data
    if entry.attributes:
        value["attributes"] = {name.decode(errors="backslashreplace"): base64.b64encode(data).decode()
                               for name, data in repository.attributes(entry)}
    if entry.link is not None:
        value.update(named("linkGroup", entry.link.replace(b"\0", b"/")))
    return value


def emit(value):
    print(json.dumps(value))


# Restore


def restore(repository, root, destination):
    """Writes a tree. Inode flags are left out: an immutable file could not be removed again."""
    destination = os.fsencode(destination)
    os.makedirs(destination, exist_ok=True)
    need(not os.listdir(destination), f"{os.fsdecode(destination)} is not empty")
    directories = []
    for entry in repository.entries(root):
        path = place(destination, entry.key)
        try:
            if entry.kind == DIRECTORY:
                if entry.key:
                    os.mkdir(path, 0o700)
                directories.append(entry)  # a directory's times and mode only when all is in it
            elif entry.link not in (None, entry.key):
                os.link(place(destination, entry.link), path, follow_symlinks=False)
            else:
                create(repository, entry, path)
                finish(repository, entry, path)
        except OSError as error:
            need(entry.kind in (SOCKET, CHARACTER, BLOCK) or entry.link, str(error))
            note(f"{shown(entry.key)} is left out: {error}")
    for entry in reversed(directories):
        finish(repository, entry, place(destination, entry.key))


def place(destination, key):
    return destination + b"/" + key.replace(b"\0", b"/") if key else destination


def create(repository, entry, path):
    if entry.kind == FILE:
        with open(path, "xb") as file:
            os.fchmod(file.fileno(), 0o600)
            for length, data in repository.content(entry):
                file.seek(length, os.SEEK_CUR) if data is None else file.write(data)
            file.truncate(entry.size)  # a hole at the end
    elif entry.kind == SYMLINK:
        os.symlink(entry.data, path)
    else:
        types = {FIFO: stat.S_IFIFO, SOCKET: stat.S_IFSOCK, CHARACTER: stat.S_IFCHR, BLOCK: stat.S_IFBLK}
        os.mknod(path, types[entry.kind] | 0o600, os.makedev(*entry.data) if entry.data else 0)


def finish(repository, entry, path):
    """Owner first (it takes set-user-id bits and capabilities away), attributes while the mode lets us write."""
    if os.geteuid() == 0:
        os.chown(path, entry.owner[0], entry.group[0], follow_symlinks=False)
    for name, value in repository.attributes(entry):
        try:
            os.setxattr(path, name, value, follow_symlinks=False)
        except OSError as error:
            note(f"{shown(entry.key)}: {os.fsdecode(name)}: {error.strerror}")
    if entry.kind != SYMLINK:
        os.chmod(path, entry.mode)
    os.utime(path, ns=(entry.mtime, entry.mtime), follow_symlinks=False)


# Commands


def run_log(repository, folder=None, branch=None):
    refs = repository.log.refs
    folders = [folder] if folder else sorted({name.split("/")[1] for name in refs if name.startswith("folders/")})
    for each in folders:
        head = f"folders/{each}/branches/{branch or refs.get(f'folders/{each}/HEAD')}"
        need(head in refs or not folder, f"there is no ref {head}")
        identifier, given_up = refs.get(head), repository.log.given_up()
        while identifier:
            is_there = (SNAPSHOT, identifier) in repository.locations and identifier not in given_up
            if not is_there and identifier != refs.get(head):
                identifier = repository.log.behind(identifier)  # pruned and collected, or lost
                continue
            snapshot = parse_snapshot(repository.object(SNAPSHOT, identifier))
            emit(snapshot_json(identifier, snapshot))
            identifier = snapshot["parent"]


def run_verify(repository):
    from verifier import Verifier  # no other command needs it

    problems = Verifier(repository).run()
    for problem in problems:
        note(problem)
    need(not problems, f"{len(problems)} problem{'s' if len(problems) > 1 else ''} found")
    emit({"verified": True, "packs": len(repository.packs), "objects": len(repository.locations),
          "sequence": repository.log.last.sequence})


def main(arguments):
    commands = {"refs": (0, 0), "log": (0, 2), "show": (1, 1), "ls": (1, 1), "restore": (2, 2), "verify": (0, 0)}
    path, command, rest = arguments[0] if arguments else "", arguments[1] if len(arguments) > 1 else "", arguments[2:]
    if command not in commands or not commands[command][0] <= len(rest) <= commands[command][1]:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    try:
        with contextlib.closing(Repository(path.rstrip("/") or "/")) as repository:
            run(repository, command, rest)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    except (Bad, OSError) as error:
        note(str(error))
        return 1
    return 0


def run(repository, command, arguments):
    for text in repository.log.notes + (repository.problems if command != "verify" else []):
        note(text)
    if command == "refs":
        refs = {name: value.hex() if isinstance(value, bytes) else value
                for name, value in sorted(repository.log.refs.items())}
        emit({"sequence": repository.log.last.sequence, "refs": refs})
    elif command == "log":
        run_log(repository, *arguments)
    elif command == "verify":
        run_verify(repository)
    else:
        identifier, snapshot = repository.snapshot(arguments[0])
        if command == "show":
            emit(snapshot_json(identifier, snapshot))
        elif command == "ls":
            for entry in repository.entries(snapshot["root"]):
                emit(entry_json(repository, entry))
        else:
            restore(repository, snapshot["root"], arguments[1])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
