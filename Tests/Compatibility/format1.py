"""Format 1: from bytes to values. What the page Format.md says under Conventions, Objects and `format.json`."""

import hashlib
import json
from collections import namedtuple

CHUNK, LIST, PAGE, SNAPSHOT = 1, 2, 3, 4
KINDS = {CHUNK: "chunk", LIST: "list", PAGE: "page", SNAPSHOT: "snapshot"}
PREFIXES = {CHUNK: b"", LIST: b"dtm list 1\0", PAGE: b"dtm page 1\0", SNAPSHOT: b"dtm snapshot 1\0"}
FILE, DIRECTORY, SYMLINK, FIFO, SOCKET, CHARACTER, BLOCK = 1, 2, 3, 4, 5, 6, 7
ENTRY_KINDS = {FILE: "file", DIRECTORY: "directory", SYMLINK: "symlink", FIFO: "fifo",
               SOCKET: "socket", CHARACTER: "character device", BLOCK: "block device"}
NONE, INLINE, ONE_CHUNK, CHUNK_LIST, TARGET, DEVICE = 0, 1, 2, 3, 4, 5
CONTENTS = {NONE: "none", INLINE: "inline", ONE_CHUNK: "chunk", CHUNK_LIST: "list",
            TARGET: "target", DEVICE: "device"}
# What an entry of each kind may have as its content.
ALLOWED = {FILE: (INLINE, ONE_CHUNK, CHUNK_LIST), DIRECTORY: (NONE,), SYMLINK: (TARGET,),
           FIFO: (NONE,), SOCKET: (NONE,), CHARACTER: (DEVICE,), BLOCK: (DEVICE,)}
MASK64 = (1 << 64) - 1
KNOWN_READ_FEATURES = set()


class Bad(Exception):
    """Something in the repository is not as the page says."""


def need(condition, message):
    if not condition:
        raise Bad(message)


def sha256(data):
    return hashlib.sha256(data).digest()


def checksum(data):
    return sha256(data)[:8]


def shown(key):
    """A key for messages."""
    return key.replace(b"\0", b"/").decode(errors="backslashreplace") or "(the folder)"


# Bytes to values


class Cursor:
    """Takes values from the front of some bytes."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        need(self.at + count <= len(self.data), "an encoding ends too early")
        self.at += count
        return self.data[self.at - count:self.at]

    def number(self, width):
        return int.from_bytes(self.take(width), "little")

    def u8(self):
        return self.number(1)

    def id(self):
        return self.take(32)

    def varint(self):
        value = 0
        for shift in range(0, 70, 7):
            byte = self.u8()
            value |= (byte & 127) << shift
            if byte < 128:
                need(value <= MASK64, "a varint has more than 64 bits")
                need(byte or not shift, "a varint is not in its shortest form")
                return value
        raise Bad("a varint has more than 10 bytes")

    def svarint(self):
        value = self.varint()
        return (value >> 1) ^ -(value & 1)

    def bytes(self):
        return self.take(self.varint())

    def string(self):
        try:
            return self.bytes().decode()
        except UnicodeDecodeError:
            raise Bad("a string is not UTF-8") from None

    def list(self, element):
        return [element(self) for _ in range(self.varint())]

    def end(self):
        need(self.at == len(self.data), "bytes follow an encoding")


def whole(data, decode):
    """The value that all of the bytes encode."""
    cursor = Cursor(data)
    value = decode(cursor)
    cursor.end()
    return value


class Fields:
    """Numbered values. A `string` in a field has its own length inside of the field's bytes."""

    def __init__(self, data):
        self.values, last, cursor = {}, -1, Cursor(data)
        while cursor.at < len(data):
            number = cursor.varint()
            need(number > last, "fields are not in ascending order")
            self.values[number] = cursor.bytes()
            last = number

    def get(self, number, decode, default=None):
        return whole(self.values[number], decode) if number in self.values else default


# What encodings are made of, as functions of a cursor.
u8, varint, identifier, octets, string = Cursor.u8, Cursor.varint, Cursor.id, Cursor.bytes, Cursor.string


def several(*elements):
    return lambda cursor: tuple(element(cursor) for element in elements)


def list_of(*elements):
    element = several(*elements) if len(elements) > 1 else elements[0]
    return lambda cursor: cursor.list(element)


def time(cursor):
    return cursor.svarint(), cursor.varint()


def ref_value(cursor):
    kind = cursor.u8()
    need(kind <= 2, f"a ref's value has the unknown kind {kind}")
    return None if kind == 0 else cursor.id() if kind == 1 else cursor.string()


# The repository's parameters


class Format:
    """format.json. Refuses what this reader does not know."""

    def __init__(self, data, where):
        try:
            value = json.loads(data)
            need(value["format"] == "dtm", f"{where} is not of a dtm repository")
            need(value["version"] == 1, f"{where} has version {value['version']}; this reader knows version 1")
            unknown = sorted(set(value["features"]["read"]) - KNOWN_READ_FEATURES)
            need(not unknown, f"{where} asks for read features that this reader does not know: {unknown}")
            self.repository = bytes.fromhex(value["repository"])
            chunker = self.minimum, self.average, self.maximum = tuple(
                value["chunker"][name] for name in ("minimum", "average", "maximum"))
        except (ValueError, KeyError, TypeError) as error:
            raise Bad(f"{where} is not a format 1 description: {error!r}") from None
        need(all(n & (n - 1) == 0 for n in chunker) and 64 <= chunker[0] < chunker[1] < chunker[2] <= 8 << 20,
             f"{where} has impossible chunk sizes {chunker}")
        # Features may come later than a pack; all else in a pack's copy is the repository's.
        self.fixed = {key: value[key] for key in ("version", "repository", "chunker")}


# Objects


# `owner` and `group` are (number, name), `mtime` nanoseconds since 1970; `data` is inline bytes, a target,
# an id or (major, minor); `attributes` (1, bytes) or (2, id); `link` the link group's first key.
Entry = namedtuple("Entry", "key kind flags mode owner group mtime size content data inode_flags attributes link")
Child = namedtuple("Child", "key id entries bytes")


def check_id(kind, identifier, data):
    need(kind in KINDS, f"object {identifier.hex()} has the unknown kind {kind}")
    need(sha256(PREFIXES[kind] + data) == identifier, f"{KINDS[kind]} {identifier.hex()} is damaged")


def parse_list(cursor):
    """The height of a list, and (length, id or None for a hole) of each child."""
    height, children = cursor.u8(), []
    for _ in range(cursor.varint()):
        length, hole = divmod(cursor.varint(), 2)
        need(length > 0, "a list's child covers nothing")
        need(not (hole and height), "a hole stands above height 0")
        children.append((length, None if hole else cursor.id()))
    need(1 <= len(children) <= 512, f"a list has {len(children)} children")
    return height, children


def parse_attributes(cursor):
    attributes = cursor.list(several(octets, octets))
    names = [name for name, _ in attributes]
    need(names and names == sorted(set(names)), "attributes are not in ascending order")
    return attributes


def parse_page(cursor):
    """The level of a page, and its entries (or children)."""
    level, count, entries, key = cursor.u8(), cursor.varint(), [], b""
    need(count <= 512, f"a page has {count} entries")
    owners = cursor.list(several(varint, octets)) if level == 0 else []
    groups = cursor.list(several(varint, octets)) if level == 0 else []
    used = [0, 0]
    for index in range(count):
        shared, rest = cursor.varint(), cursor.bytes()
        need(shared <= len(key), "a page's key shares more than there is")
        need(rest[:1] != key[shared:shared + 1] or shared == len(key), "a page's key shares less than it could")
        new = key[:shared] + rest
        need(new > key or index == 0, "a page's keys are not in ascending order")
        check_key(new)
        key = new
        if level:
            entries.append(Child(key, cursor.id(), cursor.varint(), cursor.varint()))
        else:
            entries.append(parse_entry(cursor, key, owners, groups, used))
    need(used == [len(owners), len(groups)] and len(set(owners)) == len(owners)
         and len(set(groups)) == len(groups), "a page's owners or groups are not those of its entries")
    return level, entries


def check_key(key):
    need(len(key) <= 65536, "a key is too long")
    need(not key or not any(part in (b"", b".", b"..") or b"/" in part for part in key.split(b"\0")),
         f"{key!r} is not a key")


def parse_entry(cursor, key, owners, groups, used):
    kind, flags, mode = cursor.u8(), cursor.varint(), cursor.varint()
    need(kind in ENTRY_KINDS, f"{shown(key)} has the unknown kind {kind}")
    need(flags < 32 and mode <= 0o7777, f"{shown(key)} has unknown flags or mode bits")
    people = []
    for which, table in enumerate((owners, groups)):
        index = cursor.varint()
        need(index < len(table) and index <= used[which], "owners or groups are not in the order of first use")
        used[which] = max(used[which], index + 1)
        people.append(table[index])
    (seconds, nanoseconds), size, content, data = time(cursor), cursor.varint(), cursor.u8(), None
    need(nanoseconds < 1_000_000_000, f"{shown(key)} has {nanoseconds} nanoseconds")
    need(content in ALLOWED[kind], f"{shown(key)}, a {ENTRY_KINDS[kind]}, has the content {content}")
    if content in (INLINE, TARGET):
        data = cursor.bytes()
        need(len(data) == size, f"{shown(key)} has {len(data)} bytes, not {size}")
    elif content in (ONE_CHUNK, CHUNK_LIST):
        data = cursor.id()
    elif content == DEVICE:
        data = cursor.varint(), cursor.varint()
    need(kind in (FILE, SYMLINK) or size == 0, f"{shown(key)} has a size")
    need(kind != FILE or (size <= 128) == (content == INLINE),
         f"{shown(key)}: content of {size} bytes in the wrong place")
    inode_flags, attributes, link = 0, None, None
    if flags & 4:
        inode_flags = cursor.varint()
        need(inode_flags and not inode_flags & ~(16 | 64), f"{shown(key)} has unknown inode flags")
    if flags & 8:
        where = cursor.u8()
        need(where in (1, 2), f"{shown(key)} has attributes of the unknown form {where}")
        attributes = where, cursor.bytes() if where == 1 else cursor.id()
        need(where == 2 or len(attributes[1]) < 128, f"{shown(key)} has long attributes in its entry")
    if flags & 16:
        link = cursor.bytes()
        need(link <= key and kind != DIRECTORY, f"{shown(key)} has an impossible link group")
    return Entry(key, kind, flags, mode, *people, seconds * 1_000_000_000 + nanoseconds, size, content, data,
                 inode_flags, attributes, link)


def parse_snapshot(data):
    """A snapshot as it is printed; ids and keys stay bytes."""
    fields = Fields(data)
    return {
        "root": fields.get(1, identifier), "parent": fields.get(2, identifier),
        "branch": fields.get(3, string, ""), "time": fields.get(4, time, (0, 0)),
        "message": fields.get(5, string, ""), "trigger": fields.get(6, string, ""),
        "rules": fields.get(7, list_of(string), []), "labels": fields.get(8, list_of(string, string), []),
        "host": fields.get(9, string, ""), "user": fields.get(10, string, ""),
        "totals": fields.get(11, several(varint, varint, varint), (0, 0, 0)),
        "changes": fields.get(12, several(varint, varint, varint), (0, 0, 0)),
        "problems": fields.get(13, list_of(octets, string, string), []), "basis": fields.get(14, string, ""),
        "clocks": fields.get(15, several(string, string), ("", "")),
        "uncovered": fields.get(16, list_of(octets), []), "hot": fields.get(17, list_of(octets), []),
        "writer": fields.get(18, string, ""), "folder": fields.get(19, string, ""),
        "vouched": fields.get(20, several(varint, varint), (0, 0))}
