#!/usr/bin/python3
"""Writes small repositories of format 1, for the tests of reader.py, and golden values for the Swift tests.

Written from the page Format.md alone and sharing no code with reader.py, so that each can be held
against the other.

    fixture.py make DIR      the repository that the tests read
    fixture.py golden        golden.json
"""

import hashlib
import json
import os
import struct
import sys

import zstandard

CHUNK, LIST, PAGE, SNAPSHOT = 1, 2, 3, 4
FILE, DIRECTORY, SYMLINK, FIFO, SOCKET, CHARACTER, BLOCK = 1, 2, 3, 4, 5, 6, 7
DOMAINS = {CHUNK: b"", LIST: b"dtm list 1\0", PAGE: b"dtm page 1\0", SNAPSHOT: b"dtm snapshot 1\0"}
FULL = (1 << 64) - 1


def sha(data):
    return hashlib.sha256(data).digest()


def object_id(kind, data):
    return sha(DOMAINS[kind] + data)


def uuid(name):
    return sha(b"uuid " + name.encode())[:16]


class Random:
    """xorshift64*: x ^= x >> 12, x ^= x << 25, x ^= x >> 27 (mod 2^64), and the number is
    x * 0x2545f4914f6cdd1d (mod 2^64). The seed is the first x and not 0. Bytes are the numbers' bytes,
    little-endian, one number after the other; what is left of the last one is thrown away."""

    def __init__(self, seed):
        self.x = seed

    def number(self):
        self.x ^= self.x >> 12
        self.x = (self.x ^ self.x << 25) & FULL
        self.x ^= self.x >> 27
        return self.x * 0x2545F4914F6CDD1D & FULL

    def bytes(self, count):
        return b"".join(struct.pack("<Q", self.number()) for _ in range((count + 7) // 8))[:count]


# Encodings


def varint(value):
    out = bytearray()
    while value >= 128:
        out.append(value % 128 + 128)
        value //= 128
    out.append(value)
    return bytes(out)


def svarint(value):
    return varint(2 * value if value >= 0 else -2 * value - 1)


def octets(data):
    return varint(len(data)) + data


def text(value):
    return octets(value.encode())


def listed(items):
    items = list(items)
    return varint(len(items)) + b"".join(items)


def fields(values):
    """Of {number: encoding}; a None is left out. A string's encoding has its length, so it stands there twice."""
    return b"".join(varint(n) + octets(v) for n, v in sorted(values.items()) if v is not None)


def ref_value(value):
    return b"\0" if value is None else b"\1" + value if isinstance(value, bytes) else b"\2" + text(value)


def attributes(values):
    return listed(octets(name) + octets(value) for name, value in sorted(values.items()))


def shared_prefix(a, b):
    count = 0
    while count < min(len(a), len(b)) and a[count] == b[count]:
        count += 1
    return count


# Where things are cut


GEAR = [struct.unpack("<Q", sha(b"dtm gear" + bytes([i]))[:8])[0] for i in range(256)]


def masks(average):
    b = average.bit_length() - 1
    return (2 ** (b + 2) - 1) << (61 - b), (2 ** (b - 2) - 1) << (65 - b)


def chunk_lengths(data, chunker):
    minimum, average, maximum = chunker
    hard, easy = masks(average)
    lengths, start = [], 0
    while start < len(data):
        left = len(data) - start
        length = min(left, maximum)
        if left > minimum:
            h = 0
            for i in range(minimum, length):
                h = (2 * h + GEAR[data[start + i]]) & FULL
                if h & (hard if i < average else easy) == 0:
                    length = i + 1
                    break
        lengths.append(length)
        start += length
    return lengths


def border_hash(level, key):
    x = 0xCBF29CE484222325
    for byte in bytes([level]) + key:
        x = ((x ^ byte) * 0x100000001B3) & FULL
    x ^= x >> 33
    x = x * 0xFF51AFD7ED558CCD & FULL
    x ^= x >> 33
    x = x * 0xC4CEB9FE1A85EC53 & FULL
    return x ^ (x >> 33)


def page_border(level, keys):
    """Whether a page with these keys ends after the last of them."""
    size = sum(map(len, keys))
    if len(keys) >= 512 or size >= 65536:
        return True
    return (len(keys) >= 32 or size >= 8192) and border_hash(level, keys[-1]) % 64 == 0


def list_border(children):
    """Whether a list with these (length, id or None) ends after the last of them."""
    identifier = children[-1][1]
    return len(children) >= 512 or (len(children) >= 16 and identifier is not None
                                    and struct.unpack("<Q", identifier[:8])[0] % 64 == 0)


def groups_of(items, ends):
    groups, current = [], []
    for item in items:
        current.append(item)
        if ends(current):
            groups.append(current)
            current = []
    return groups + [current] if current or not groups else groups


# Trees: a model is {key: entry}, an entry is a dictionary as `entry` makes it


def entry(kind, mode=0o644, runs=(), **more):
    """`runs` are a file's content: bytes, or a number for a hole of that length."""
    return dict(dict(kind=kind, mode=mode, uid=1000, gid=100, owner=b"ann", group=b"users", seconds=1700000000,
                     nanoseconds=0, runs=list(runs), target=b"", device=(0, 0), attributes={}, link=None,
                     hot=False, inode_flags=0), **more)


def size_of(e):
    if e["kind"] == SYMLINK:
        return len(e["target"])
    return sum(run if isinstance(run, int) else len(run) for run in e["runs"])


def bytes_of(e):
    return b"".join(bytes(run) if isinstance(run, int) else run for run in e["runs"])


class Objects:
    """Objects that were made and are in no pack yet; each only once."""

    def __init__(self, chunker):
        self.chunker, self.known, self.data, self.meta = chunker, set(), [], []
        self.page_border, self.list_border, self.page_sizes = page_border, list_border, {}

    def put(self, kind, data, meta=True):
        identifier = object_id(kind, data)
        if (kind, identifier) not in self.known:
            self.known.add((kind, identifier))
            (self.meta if meta else self.data).append((kind, identifier, data))
        return identifier

    def lists(self, children):
        """The root of the lists over (length, id or None) of a file's pieces."""
        height = 0
        while True:
            made = []
            for group in groups_of(children, self.list_border):
                body = bytes([height]) + listed(varint(2 * length + (i is None)) + (i or b"") for length, i in group)
                made.append((sum(length for length, _ in group), self.put(LIST, body)))
            if len(made) == 1:
                return made[0][1]
            children, height = made, height + 1

    def content(self, e):
        if e["kind"] == SYMLINK:
            return b"\4" + octets(e["target"])
        if e["kind"] in (CHARACTER, BLOCK):
            return b"\5" + varint(e["device"][0]) + varint(e["device"][1])
        if e["kind"] != FILE:
            return b"\0"
        if size_of(e) <= 128:
            return b"\1" + octets(bytes_of(e))
        pieces = []
        for run in e["runs"]:
            if isinstance(run, int):
                pieces.append((run, None))
                continue
            start = 0
            for length in chunk_lengths(run, self.chunker):
                pieces.append((length, self.put(CHUNK, run[start:start + length], meta=False)))
                start += length
        if len(pieces) == 1 and pieces[0][1]:
            return b"\2" + pieces[0][1]
        return b"\3" + self.lists(pieces)

    def leaf(self, entries):
        owners, groups, body, before = [], [], b"", b""
        for key, e in entries:
            for people, person in ((owners, (e["uid"], e["owner"])), (groups, (e["gid"], e["group"]))):
                if person not in people:
                    people.append(person)
            shared = shared_prefix(before, key)
            sparse = size_of(e) > 128 and any(isinstance(run, int) for run in e["runs"])
            flags = sparse + 2 * e["hot"] + 4 * bool(e["inode_flags"]) + 8 * bool(e["attributes"])
            flags += 16 * (e["link"] is not None)
            body += varint(shared) + octets(key[shared:]) + bytes([e["kind"]]) + varint(flags) + varint(e["mode"])
            body += varint(owners.index((e["uid"], e["owner"]))) + varint(groups.index((e["gid"], e["group"])))
            body += svarint(e["seconds"]) + varint(e["nanoseconds"]) + varint(size_of(e)) + self.content(e)
            if e["inode_flags"]:
                body += varint(e["inode_flags"])
            if e["attributes"]:
                encoded = attributes(e["attributes"])
                body += b"\1" + octets(encoded) if len(encoded) < 128 else b"\2" + self.put(CHUNK, encoded)
            if e["link"] is not None:
                body += octets(e["link"])
            before = key
        people = [listed(varint(number) + octets(name) for number, name in table) for table in (owners, groups)]
        return b"\0" + varint(len(entries)) + people[0] + people[1] + body

    def inner(self, level, children):
        body, before = b"", b""
        for key, identifier, entries, size in children:
            shared = shared_prefix(before, key)
            body += varint(shared) + octets(key[shared:]) + identifier + varint(entries) + varint(size)
            before = key
        return bytes([level]) + varint(len(children)) + body

    def tree(self, model):
        """The root page of a tree."""
        level, items = 0, sorted(model.items())
        while True:
            made = []
            groups = groups_of(items, lambda group: self.page_border(level, [item[0] for item in group]))
            self.page_sizes[level] = [len(group) for group in groups]
            for group in groups:
                if level == 0:
                    body = self.leaf(group)
                    counts = len(group), sum(size_of(e) for _, e in group if e["kind"] == FILE)
                else:
                    body = self.inner(level, group)
                    counts = sum(child[2] for child in group), sum(child[3] for child in group)
                made.append((group[0][0] if group else b"", self.put(PAGE, body), *counts))
            if len(made) == 1:
                return made[0][1]
            items, level = made, level + 1

    def snapshot(self, model, **values):
        return self.put(SNAPSHOT, snapshot(self.tree(model), model, **values))


def snapshot(root, model, parent=None, branch="main", time=(1700000000, 5), message="", trigger="manual", labels=(),
             rules=(), problems=(), uncovered=(), hot=(), changes=(0, 0, 0), folder="", totals=None, **more):
    files = [e for e in model.values() if e["kind"] == FILE]
    totals = totals or (len(files), sum(map(size_of, files)), max(len(model) - 1, 0))
    return fields({
        1: root, 2: parent, 3: text(branch), 4: svarint(time[0]) + varint(time[1]), 5: text(message) if message else None,
        6: text(trigger), 7: listed(map(text, rules)) if rules else None,
        8: listed(text(k) + text(v) for k, v in sorted(labels)) if labels else None,
        9: text("host"), 10: text("ann"),
        11: b"".join(map(varint, totals)) if any(totals) else None,
        12: b"".join(map(varint, changes)) if any(changes) else None,
        13: listed(octets(k) + text(kind) + text(d) for k, kind, d in problems) if problems else None,
        14: text("scan"), 15: text("c:1") + text("c:2"), 16: listed(map(octets, uncovered)) if uncovered else None,
        17: listed(map(octets, hot)) if hot else None, 18: text("0.1"), 19: text(folder) if folder else None,
        20: varint(3) + varint(4)})


# Packs and the ref log


def format_json(repository, chunker, version=1, read=()):
    return (json.dumps({"format": "dtm", "version": version, "repository": repository.hex(),
                        "chunker": dict(zip(("minimum", "average", "maximum"), chunker)),
                        "features": {"read": list(read), "write": [], "collect": []}}, separators=(",", ":")) + "\n").encode()


def pack_header(kind, identifier, description):
    head = struct.pack("<8sIB3x16sI", b"DTMPACK1", 36 + len(description) + 8, kind, identifier, len(description)) + description
    return head + sha(head)[:8]


def frame(objects, compressed):
    raw = b"".join(data for _, _, data in objects)
    payload = zstandard.ZstdCompressor(level=3).compress(raw) if compressed else raw
    head = struct.pack("<4sB3xIII8s", b"DFRM", int(compressed), len(objects), len(raw), len(payload), sha(payload)[:8])
    head += b"".join(struct.pack("<BI32s", kind, len(data), identifier) for kind, identifier, data in objects)
    return head + sha(head)[:8] + payload


def pack(kind, identifier, description, objects, sealed, per_frame=4):
    """A pack's bytes. Every other frame is compressed."""
    out, rows = pack_header(kind, identifier, description), []
    for number, start in enumerate(range(0, len(objects), per_frame)):
        at = 0
        for object_kind, object_identifier, data in objects[start:start + per_frame]:
            rows.append((object_identifier, len(out), at, len(data), object_kind))
            at += len(data)
        out += frame(objects[start:start + per_frame], number % 2 == 0)
    if sealed:
        where = len(out)
        rows.sort(key=lambda row: (row[0], row[4]))
        out += b"DTMTRLR1" + struct.pack("<Q", len(rows))
        out += b"".join(struct.pack("<I", sum(row[0][0] <= i for row in rows)) for i in range(256))
        out += b"".join(struct.pack("<32sQIIB3x", *row) for row in rows) + struct.pack("<Q", where)
        out += sha(out) + b"DTMSEAL1"
    return out


def segment_header(repository, number):
    head = struct.pack("<8s16sQ24x", b"DTMREFS1", repository, number)
    return head + sha(head)[:8]


def record(sequence, before, body):
    length = (84 + len(body) + 7) // 8 * 8
    out = struct.pack("<I4sQ32sI", length, b"DREC", sequence, before, len(body)) + body
    out += bytes(length - 32 - len(out))
    return out + sha(out)


class Repository:
    """Writes the files. The ref log is kept here until `save`, so that a test can hurt it first."""

    def __init__(self, path, chunker, version=1, read=()):
        self.path, self.uuid = path, uuid("repository")
        self.description = format_json(self.uuid, chunker, version, read)
        self.objects, self.segments, self.records = Objects(chunker), [], []
        self.sequence, self.before, self.refs, self.live, self.packs = 0, bytes(32), {}, [], 0
        for name in ("packs", "live", "refs", "index"):
            os.makedirs(f"{path}/{name}")
        self.write("format.json", self.description)

    def write(self, name, data):
        with open(f"{self.path}/{name}", "wb") as file:
            file.write(data)

    def flush(self, sealed, tail=b""):
        """Puts the objects that wait into a data pack and a metadata pack."""
        for kind, suffix, objects in ((1, "data", self.objects.data), (2, "meta", self.objects.meta)):
            if not objects:
                continue
            self.packs += 1
            identifier = uuid(f"pack {self.packs}")
            data = pack(kind, identifier, self.description, objects, sealed)
            self.write(f"{'packs' if sealed else 'live'}/{identifier.hex()}.{suffix}", data + tail)
            if not sealed:
                self.live.append((identifier, kind, len(data)))
            objects.clear()

    def begin_segment(self):
        self.segments.append(segment_header(self.uuid, len(self.segments) + 1))
        self.records.append([])
        refs = listed(text(name) + ref_value(value) for name, value in sorted(self.refs.items())) if self.refs else None
        self.record("checkpoint" if self.sequence else "init", more={10: refs})

    def record(self, kind, moves=(), facts=(), summary="", more=None):
        """`moves` are (ref, new value)."""
        values = {1: svarint(1700000100 + self.sequence) + varint(7), 2: varint(4242), 3: varint(1000), 4: text(kind)}
        values[5] = text(summary) if summary else None
        values[6] = listed(text(n) + ref_value(self.refs.get(n)) + ref_value(v) for n, v in moves) if moves else None
        values[7] = listed(s + text(k) + octets(v) for s, k, v in facts) if facts else None
        values[8] = listed(u + bytes([k]) + varint(n) for u, k, n in sorted(self.live)) if self.live else None
        for name, value in moves:
            self.refs[name] = value
        self.refs = {name: value for name, value in self.refs.items() if value is not None}
        self.sequence += 1
        made = record(self.sequence, self.before, fields({**values, **(more or {})}))
        self.before = made[-32:]
        self.segments[-1] += made
        self.records[-1].append(made)

    def save(self, torn=None):
        """`torn`: the number of bytes of the last record that copy b of the last segment has."""
        for number, data in enumerate(self.segments, 1):
            self.write(f"refs/{number:08}.a", data)
            cut = torn is not None and number == len(self.segments)
            self.write(f"refs/{number:08}.b", data[:len(data) - len(self.records[-1][-1]) + torn] if cut else data)


# The repositories of the tests


CHUNKER = 256, 1024, 4096
FOLDER = uuid("folder").hex()


def models():
    """Two models: of a first snapshot, and of one after some changes."""
    random, model = Random(7), {b"": entry(DIRECTORY, 0o755)}

    def add(path, *arguments, **more):
        more.setdefault("seconds", 1600000000 + random.number() % 10 ** 8)
        more.setdefault("nanoseconds", random.number() % 10 ** 9)
        model[path.replace(b"/", b"\0")] = entry(*arguments, **more)

    for a in range(6):
        add(b"d%d" % a, DIRECTORY, 0o755)
        for b in range(4):
            add(b"d%d/sub-%d" % (a, b), DIRECTORY, 0o750, owner=b"bob", uid=1001)
            for c in range(18):
                add(b"d%d/sub-%d/file %02d.txt" % (a, b, c), FILE, 0o640, [random.bytes(random.number() % 400)])
    add(b"content", DIRECTORY, 0o700)
    for size in (0, 1, 128, 129, 256, 257, 1024, 4096, 5000, 100_000, 400_000):
        add(b"content/%06d" % size, FILE, 0o600, [random.bytes(size)])
    add(b"content/zeros", FILE, 0o644, [bytes(20_000)])
    add(b"content/sparse", FILE, 0o644, [8192, random.bytes(5000), 4096, random.bytes(100), 100_000], hot=True)
    add(b"content/hole", FILE, 0o644, [1 << 20])
    add(b"content/small hole", FILE, 0o644, [100])
    add(b"content/many holes", FILE, 0o644, [run for i in range(700) for run in (4096, random.bytes(90))])
    # A file whose content is what the id of the sparse file's list is the digest of: both have one id.
    twin = Objects(CHUNKER)
    twin.content(model[b"content\0sparse"])
    add(b"content/twin of a list", FILE, 0o644, [DOMAINS[LIST] + twin.meta[0][2]])
    add(b"kinds", DIRECTORY, 0o1777, seconds=-5, nanoseconds=999_999_999)
    add(b"kinds/link", SYMLINK, 0o777, target=b"../content/000129")
    add(b"kinds/dangling", SYMLINK, 0o777, target=b"no\xffwhere")
    add(b"kinds/fifo", FIFO, 0o600)
    add(b"kinds/socket", SOCKET, 0o600)
    add(b"kinds/null", CHARACTER, 0o666, device=(1, 3))
    add(b"kinds/set-id", FILE, 0o4755, [b"#!"], inode_flags=64)
    add(b"kinds/not utf-8 \xff\xfe", FILE, 0o644, [b"name"])
    add(b"kinds/read-only", FILE, 0o444, [b"x"], attributes={b"user.colour": b"red", b"user.a": b"\0\1"})
    add(b"kinds/much", FILE, 0o644, [b"y"], attributes={b"user.long": random.bytes(300)})
    shared = dict(seconds=1650000000, nanoseconds=1, link=b"kinds\0hard 1", attributes={b"user.both": b"names"})
    content = random.bytes(3000)
    for name in (b"kinds/hard 1", b"kinds/hard 2", b"d0/hard 3"):
        add(name, FILE, 0o644, [content], **dict(shared, link=b"d0\0hard 3"))
    second = dict(model)
    for name in (b"d1/sub-1/file 03.txt", b"d5/sub-3/file 17.txt", b"content/001024"):
        second[name.replace(b"/", b"\0")] = entry(FILE, 0o600, [random.bytes(700)], seconds=1699999999)
    for key in [key for key in second if key.startswith(b"d2\0sub-0")]:
        del second[key]
    second[b"new"] = entry(DIRECTORY, 0o755)
    second[b"new\0file"] = entry(FILE, 0o644, [random.bytes(30_000)])
    return model, second


def make(path, torn=200):
    """Two snapshots: the first one in sealed packs, the second in live ones with a tail that nobody committed;
    two segments, and of the last record only a part in copy b. Returns (id, model) of each snapshot."""
    repository, (first, second) = Repository(path, CHUNKER), models()
    repository.begin_segment()
    one = repository.objects.snapshot(first, folder=FOLDER, message="first\nwith two lines")
    repository.flush(sealed=True)
    at = f"folders/{FOLDER}/"
    repository.record("snapshot", [(at + "branches/main", one), (at + "HEAD", "main"), (at + "root", "/home/ann/x")])
    repository.record("tag", [(at + "tags/start", one), (at + "tags/wrong", one)])
    operation = fields({1: svarint(1) + varint(2), 4: text("tag"), 13: varint(3)})
    repository.begin_segment()
    repository.record("tag", [(at + "tags/wrong", None)], more={11: listed([octets(operation)])})
    two = repository.objects.snapshot(
        second, parent=one, folder=FOLDER, trigger="quiet", rules=["saved"], labels=[("k", "v"), ("a", "é")],
        problems=[(b"kinds\0secret", "unreadable", "Permission denied")], uncovered=[b"d3\0x\xff"],
        hot=[b"content\0sparse"], changes=(2, 3, 19))
    uncommitted = frame([(CHUNK, sha(b"late"), b"late")], False)
    repository.flush(sealed=False, tail=uncommitted + b"DFRM and half a frame")
    repository.record("snapshot", [(at + "branches/main", two)], [(two, "storedBytes", b"12345")])
    repository.record("label", facts=[(one, "label:good", b"yes")], summary="a long summary. " * 90)
    repository.save(torn)
    return (one, first), (two, second)


def make_small(path):
    """A few objects only: every byte of it can be turned in a test."""
    repository = Repository(path, CHUNKER)
    model = {b"": entry(DIRECTORY, 0o755), b"a": entry(FILE, runs=[b"inline"]), b"b": entry(FILE, runs=[Random(1).bytes(200)])}
    repository.begin_segment()
    one = repository.objects.snapshot(model, folder=FOLDER)
    repository.flush(sealed=True)
    repository.record("snapshot", [(f"folders/{FOLDER}/branches/main", one), (f"folders/{FOLDER}/HEAD", "main")])
    repository.begin_segment()
    two = repository.objects.snapshot({**model, b"c": entry(FILE, runs=[b"more"])}, parent=one, folder=FOLDER)
    repository.flush(sealed=False, tail=b"tail")
    repository.record("snapshot", [(f"folders/{FOLDER}/branches/main", two)])
    repository.record("label", summary="x" * 700)
    repository.save(torn=600)
    return one, two


# Golden values


def wide_model(count):
    """Deterministic and wide: directories `d000` …, in each 40 files `f00` …, inline content of 4 bytes."""
    model = {b"": entry(DIRECTORY, 0o755)}
    for i in range(count):
        if i % 40 == 0:
            model[b"d%03d" % (i // 40)] = entry(DIRECTORY, 0o755)
        model[b"d%03d\0f%02d" % (i // 40, i % 40)] = entry(FILE, runs=[struct.pack("<I", i)], nanoseconds=i)
    return model


def long_model():
    """Long keys: the borders by bytes. A chain of 40 directories, in each 9 files; a component has 250 bytes."""
    model, path = {b"": entry(DIRECTORY, 0o755)}, b""
    for depth in range(40):
        path = (path + b"\0" if path else b"") + b"%03d" % depth + b"d" * 247
        model[path] = entry(DIRECTORY, 0o755)
        for number in range(9):
            model[path + b"\0" + b"%03d" % number + b"a" * 247] = entry(FILE)
    return model


def golden():
    def object_case(kind, data):
        return {"encoding": data.hex(), "id": object_id(kind, data).hex()}

    def tree_case(model):
        objects = Objects((16384, 65536, 262144))
        root = objects.tree(model)
        return {"entries": len(model), "root": root.hex(), "pageSizes": [sizes for _, sizes in sorted(objects.page_sizes.items())]}

    def list_case(children):
        objects = Objects(CHUNKER)
        root = objects.lists(children)
        heights = [data[0] for _, _, data in objects.meta]
        return {"root": root.hex(), "listsByHeight": [heights.count(h) for h in range(max(heights) + 1)]}

    cuts = []
    for chunker, seed, length in (((16384, 65536, 262144), 1, 1_000_000), ((16384, 65536, 262144), 2, 16384),
                                  ((16384, 65536, 262144), 2, 16385), ((256, 1024, 4096), 3, 50_000),
                                  ((64, 128, 256), 4, 5_000), ((64, 128, 8 << 20), 5, 5_000),
                                  ((256, 1024, 4096), 0, 20_000)):
        data = Random(seed).bytes(length) if seed else bytes(length)
        lengths = chunk_lengths(data, chunker)
        first = sha(data[:lengths[0]]).hex()
        cuts.append({"chunker": chunker, "seed": seed, "length": length, "lengths": lengths, "firstId": first})
    key_cases = [(0, b""), (0, b"a"), (1, b"a"), (0, b"a\0b"), (2, "größe".encode()), (0, bytes(range(1, 47))), (255, b"x" * 300)]
    small = Objects(CHUNKER)
    kinds = {
        b"": entry(DIRECTORY, 0o755), b"a": entry(FILE, runs=[b"hello"], seconds=-1, nanoseconds=999_999_999),
        b"ab": entry(FILE, 0o4755, runs=[Random(1).bytes(200)], uid=0, gid=0, owner=b"root", group=b"", inode_flags=64),
        b"b": entry(SYMLINK, 0o777, target=b"a"), b"c": entry(FIFO, 0o600), b"d": entry(CHARACTER, 0o666, device=(1, 300)),
        b"e": entry(FILE, runs=[Random(2).bytes(300), 8192, Random(3).bytes(100)], hot=True),
        b"f": entry(FILE, attributes={b"user.b": b"2", b"user.a": b"1"}, link=b"f"),
        b"g": entry(FILE, attributes={b"user.b": b"2", b"user.a": b"1"}, link=b"f"),
        b"h": entry(FILE, attributes={b"user.long": b"v" * 200})}
    ids = [sha(bytes([i])) for i in range(4)]
    inner = [(b"", ids[0], 40, 1000), (b"k\0one", ids[1], 50, 0), (b"k\0two", ids[2], 300, 1 << 40)]
    pieces = [(8192, None), (300, ids[0]), (4096, ids[1])]
    plain = dict(branch="main", time=(1700000000, 5), message="m", folder=FOLDER)
    full = dict(plain, parent=ids[1], rules=["r"], labels=[("b", "2"), ("a", "1")], problems=[(b"k\0one", "unreadable", "no")],
                uncovered=[b"u"], hot=[b"e"], changes=(1, 2, 3))
    few = [(CHUNK, sha(b"one"), b"one"), (CHUNK, sha(b"three"), b"three")]
    description = format_json(uuid("repository"), (16384, 65536, 262144))
    body = fields({1: svarint(1700000000) + varint(5), 2: varint(42), 3: varint(1000), 4: text("snapshot"),
                   6: listed([text("folders/x/HEAD") + ref_value(None) + ref_value("main"),
                              text("folders/x/branches/main") + ref_value(ids[0]) + ref_value(ids[1])]),
                   8: listed([uuid("pack 1") + b"\1" + varint(4096)])})
    numbers = [0, 1, 127, 128, 300, 16383, 16384, 1 << 32, FULL]
    signed = [0, -1, 1, -2, 63, -64, 64, 1700000000, (1 << 63) - 1, -1 << 63]
    return {
        "about": "Made by fixture.py from the format page alone; its function golden() has the values that are encoded here. "
                 "Numbers of 64 bits are in hex. Cuts: of the generator's bytes, of zeros where the seed is 0. "
                 "wideTree and longKeysTree: fixture.py's wide_model(12000) and long_model(). lists: child i of 5000 has "
                 "1000 + i bytes and the id SHA-256(i as u32).",
        "generator": {"name": "xorshift64*", "seed": 1, "first": [f"{n:016x}" for r in [Random(1)] for n in (r.number(), r.number())],
                      "bytes": Random(1).bytes(20).hex()},
        "varints": [{"value": str(n), "encoding": varint(n).hex()} for n in numbers],
        "svarints": [{"value": str(n), "encoding": svarint(n).hex()} for n in signed],
        "gear": {"0": f"{GEAR[0]:016x}", "255": f"{GEAR[255]:016x}",
                 "sha256OfAllLittleEndian": sha(b"".join(struct.pack("<Q", g) for g in GEAR)).hex()},
        "masks": [{"average": a, "hard": f"{masks(a)[0]:016x}", "easy": f"{masks(a)[1]:016x}"} for a in (128, 1024, 65536, 4 << 20)],
        "cuts": cuts,
        "borders": [{"level": level, "key": key.hex(), "hash": f"{border_hash(level, key):016x}"} for level, key in key_cases],
        "emptyTree": object_case(PAGE, small.leaf([])),
        "leafPage": object_case(PAGE, small.leaf(sorted(kinds.items()))),
        "innerPage": object_case(PAGE, small.inner(1, inner)),
        "list": object_case(LIST, b"\0" + listed(varint(2 * n + (i is None)) + (i or b"") for n, i in pieces)),
        "attributes": attributes({b"user.b": b"2", b"user.a": b"1"}).hex(),
        "snapshotSmall": object_case(SNAPSHOT, snapshot(ids[0], {}, **plain)),
        "snapshotFull": object_case(SNAPSHOT, snapshot(ids[0], kinds, **full)),
        "wideTree": tree_case(wide_model(12_000)), "longKeysTree": tree_case(long_model()),
        "lists": dict(list_case([(1000 + i, sha(struct.pack("<I", i))) for i in range(5000)]), children=5000),
        "packHeader": pack_header(2, uuid("pack 1"), description).hex(),
        "storedFrame": frame(few, False).hex(),
        "segmentHeader": segment_header(uuid("repository"), 3).hex(),
        "record": record(9, ids[3], body).hex(),
    }


if __name__ == "__main__":
    if sys.argv[1:] == ["golden"]:
        print(json.dumps(golden(), indent=1))
    elif len(sys.argv) == 3 and sys.argv[1] == "make":
        make(sys.argv[2])
    else:
        sys.exit(__doc__.strip())
