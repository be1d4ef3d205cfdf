"""Format 1: checks all that the page Format.md promises about a repository."""

import hashlib
from functools import cache

from format1 import (CHUNK, FILE, INLINE, SNAPSHOT, Bad, Fields, MASK64, check_id, identifier, list_of, need, octets,
                     parse_snapshot, ref_value, sha256, shown, string, time, varint)
from storage import note

# Where content, lists and pages are cut


@cache
def gear():
    return [int.from_bytes(sha256(b"dtm gear" + bytes([i]))[:8], "little") for i in range(256)]


def first_cut(data, minimum, average, maximum):
    """The length of the first chunk of the data, and whether the hash (not an end) cut it."""
    if len(data) <= minimum:
        return len(data), False
    table, bits = gear(), average.bit_length() - 1
    hard = ((1 << (bits + 2)) - 1) << (61 - bits)
    easy = ((1 << (bits - 2)) - 1) << (65 - bits)
    end, value = min(len(data), maximum), 0
    for start, stop, mask in ((minimum, min(average, end), hard), (average, end, easy)):
        for at in range(start, stop):
            value = (value << 1) + table[data[at]] & MASK64
            if not value & mask:
                return at + 1, True
    return end, False


def border_hash(level, key):
    value = 14695981039346656037
    for byte in bytes([level]) + key:
        value = (value ^ byte) * 1099511628211 & MASK64
    value ^= value >> 33
    value = value * 0xFF51AFD7ED558CCD & MASK64
    value ^= value >> 33
    value = value * 0xC4CEB9FE1A85EC53 & MASK64
    return value ^ value >> 33


def page_ends(level, keys):
    """For each key of a page whether the page has to end after it."""
    size = 0
    for count, key in enumerate(keys, 1):
        size += len(key)
        yield count >= 512 or size >= 65536 or (
            (count >= 32 or size >= 8192) and border_hash(level, key) & 63 == 0)


def list_ends(height, children):
    for count, (_, child) in enumerate(children, 1):
        # An id's low six bits, as a little-endian number, are those of its first byte.
        yield count >= 512 or (count >= 16 and child is not None and child[0] & 63 == 0)


def border_checker(ends):
    """A check of the pages (or lists) of one tree in their order: each but the last of a level ends at a
    border, and none goes on after one."""
    ended = {}

    def check(what, level, items):
        need(ended.get(level, True), f"what stands before {what} ends where no border is")
        found = list(ends(level, items))
        need(not any(found[:-1]), f"{what} goes on after a border")
        ended[level] = bool(found) and found[-1]

    return check


# Packs and the ref log


def verify_pack(pack):
    """Every frame, every object, and the trailer of a sealed pack."""
    end, trailer = pack.trailer() if pack.is_sealed else (pack.size, None)
    rows = []
    for frame in pack.frames(end):
        payload = pack.content(frame)
        for row in frame.rows():
            check_id(row[1], row[0], payload[row[3]:row[3] + row[4]])
            rows.append(row)
    if pack.is_sealed:
        need(trailer == sorted(rows), f"{pack.name}: the trailer's rows are not the frames' objects")
        digest = hashlib.sha256()
        for start in range(0, pack.size - 40, 1 << 20):
            digest.update(pack.read(start, min(1 << 20, pack.size - 40 - start)))
        need(digest.digest() == pack.read(pack.size - 40, 32), f"{pack.name}: the digest is wrong")


def verify_log(log, problems):
    """The chain of all records, the moves of all refs, and both copies of each segment."""
    state, gone = None, given_up(log)
    for number in log.numbers:
        if number in gone:
            continue
        try:
            segment = log.segment(number)
            problems += segment.problems
            if segment.records and is_repair(segment.records[0]):
                # It says anew what the refs are, and need not follow what was given up.
                state = None
            refs = segment.refs(state)
            for record in segment.records:
                verify_record(record)
            state = (refs, segment.records[-1]) if segment.records else state
        except Bad as error:
            problems.append(located(f"refs/{number:08}", error))
            state = None


def is_repair(record):
    return record.fields.get(4, string, "") == "repair"


def given_up(log):
    """The segments that repairs do without."""
    gone = set()
    for number in log.numbers:
        try:
            records = log.segment(number).records
        except Bad:
            continue
        if records and is_repair(records[0]):
            details = records[0].fields.get(12, list_of(string, string), [])
            gone |= {int(value) for key, value in details if key == "gone"}
    return gone


def verify_record(record):
    """Decodes the fields that reading does not need."""
    operations = record.fields.get(11, list_of(octets), [])
    for fields in [record.fields] + [Fields(data) for data in operations]:
        for number, decode in ((1, time), (2, varint), (3, varint), (4, string), (5, string),
                               (6, list_of(string, ref_value, ref_value)), (7, list_of(identifier, string, octets)),
                               (9, varint), (12, list_of(string, string)), (13, varint), (14, varint)):
            fields.get(number, decode)


def located(place, error):
    return str(error) if place in str(error) else f"{place}: {error}"


# Snapshots


class Verifier:
    """`cuts` has for a chunk its length and where its bytes are cut; `checked` the contents that are right."""

    def __init__(self, repository):
        self.repository, self.cuts, self.checked = repository, {}, set()

    def run(self):
        """All problems, as texts."""
        problems = list(self.repository.problems)
        for pack in self.repository.packs:
            try:
                verify_pack(pack)
            except Bad as error:
                problems.append(located(pack.name, error))
        verify_log(self.repository.log, problems)
        reachable = self.reachable(problems)
        for kind, identifier in self.repository.locations:
            if kind == SNAPSHOT:
                try:
                    self.snapshot(identifier)
                except Bad as error:
                    message = f"snapshot {identifier.hex()}: {error}"
                    if identifier in reachable:
                        problems.append(message)
                    else:  # what no ref needs may have been collected in part
                        note(message + " (no ref needs it)")
        return list(dict.fromkeys(problems))

    def reachable(self, problems):
        """The snapshots that refs name, and their ancestors."""
        wanted = [(value, name) for name, value in self.repository.log.refs.items() if isinstance(value, bytes)]
        found, named, given_up = set(), {value for value, _ in wanted}, self.repository.log.given_up()
        while wanted:
            identifier, why = wanted.pop()
            if identifier not in found:
                found.add(identifier)
                try:
                    is_there = (SNAPSHOT, identifier) in self.repository.locations and identifier not in given_up
                    if not is_there and identifier not in named:
                        parent = self.repository.log.behind(identifier)
                    else:
                        parent = parse_snapshot(self.repository.object(SNAPSHOT, identifier))["parent"]
                    wanted += [(parent, f"the parent of {identifier.hex()}")] if parent else []
                except Bad as error:
                    problems.append(f"{why}: {error}")
        return found - (given_up - named)

    def snapshot(self, identifier):
        snapshot = parse_snapshot(self.repository.object(SNAPSHOT, identifier))
        files = size = count = 0
        groups = {}
        for entry in self.repository.entries(snapshot["root"], border_checker(page_ends)):
            count += 1 if entry.key else 0
            if entry.kind == FILE:
                files, size = files + 1, size + entry.size
                self.file(entry)
            self.repository.attributes(entry)
            if entry.link is not None:
                first = groups.setdefault(entry.link, entry)
                need(first.key == entry.link, f"{shown(entry.key)}: its link group has no first entry")
                need(first._replace(key=entry.key) == entry,
                     f"{shown(entry.key)} and {shown(first.key)} are one file, but differ")
        need(snapshot["totals"] == (files, size, count),
             f"the totals are {snapshot['totals']}, the tree has {(files, size, count)}")
        for name, keys in (("uncovered", snapshot["uncovered"]), ("hot", snapshot["hot"]),
                           ("problem", [key for key, _, _ in snapshot["problems"]])):
            need(keys == sorted(keys), f"the {name} keys are not in order")

    def file(self, entry):
        """Checks the pieces of a content, once for each content: where it is cut follows from its bytes."""
        content = entry.content, entry.data, entry.size, entry.flags & 1
        if entry.content == INLINE or content in self.checked:
            return
        form = self.repository.format
        pieces = list(self.repository.pieces(entry, border_checker(list_ends)))
        for index, (length, piece) in enumerate(pieces):
            if piece is None:
                continue
            if piece not in self.cuts:
                data = self.repository.object(CHUNK, piece)
                self.cuts[piece] = len(data), *first_cut(data, form.minimum, form.average, form.maximum)
            size, cut, is_cut_by_hash = self.cuts[piece]
            need(size == length, f"chunk {piece.hex()} has {size} bytes, not {length}")
            is_last = index + 1 == len(pieces) or pieces[index + 1][1] is None
            need(cut == size and (is_last or is_cut_by_hash or size == form.maximum),
                 f"{shown(entry.key)}: chunk {piece.hex()} is cut in the wrong place")
        self.checked.add(content)
