"""Format 1: packs and the ref log."""

import functools
import hashlib
import os
import re
import sys
from collections import namedtuple

import zstandard

from format1 import (Bad, Cursor, Fields, Format, checksum, identifier, list_of, need, octets, ref_value, several,
                     sha256, string, time, u8, varint)


def note(message):
    print("reader.py: " + message, file=sys.stderr)


# Packs


class Frame(namedtuple("Frame", "offset is_compressed raw payload length checksum objects")):
    """`payload` is where the payload begins in the pack, `objects` the (kind, length, id) of its table."""

    @property
    def end(self):
        return self.payload + self.length

    def rows(self):
        """(id, kind, offset of the frame, offset in the raw payload, length) of each object."""
        at = 0
        for kind, length, identifier in self.objects:
            yield identifier, kind, self.offset, at, length
            at += length


class Pack:
    """One pack, sealed or (with the length that counts) live."""

    def __init__(self, path, fixed, committed=None):
        self.path, self.name, self.is_sealed = path, os.path.join(*path.split("/")[-2:]), committed is None
        self.file = open(path, "rb")
        self.size = os.fstat(self.file.fileno()).st_size
        try:
            if not self.is_sealed:
                need(committed <= self.size, f"{self.name} has {self.size} bytes; {committed} are committed")
                self.size = committed
            self.read_header(fixed)
        except Bad:
            self.file.close()
            raise

    def read_header(self, fixed):
        start = self.read(0, 12)
        need(start[:8] == b"DTMPACK1", f"{self.name} is not a pack")
        self.front = int.from_bytes(start[8:12], "little")
        header = self.read(0, self.front)
        need(len(header) >= 44 and checksum(header[:-8]) == header[-8:], f"{self.name}: the header is damaged")
        cursor = Cursor(header[12:-8])
        kind, zero, uuid, length = cursor.u8(), cursor.take(3), cursor.take(16), cursor.number(4)
        need(Format(cursor.take(length), f"{self.name}: the header").fixed == fixed,
             f"{self.name} belongs to another repository")
        cursor.end()
        need(zero == bytes(3) and f"{uuid.hex()}.{ {1: 'data', 2: 'meta'}.get(kind)}" == os.path.basename(self.path),
             f"{self.name} has another pack's header")

    def read(self, offset, length):
        need(offset + length <= self.size, f"{self.name} ends too early at {offset}")
        self.file.seek(offset)
        return self.file.read(length)

    def frame(self, offset):
        what = f"{self.name}: the frame at {offset}"
        cursor = Cursor(self.read(offset, 28))
        need(cursor.take(4) == b"DFRM", f"{what} is not one")
        flags, zero, count = cursor.u8(), cursor.take(3), cursor.number(4)
        raw, length, payload_checksum = cursor.number(4), cursor.number(4), cursor.take(8)
        head = self.read(offset, 36 + 37 * count)
        need(checksum(head[:-8]) == head[-8:], f"{what} has a damaged header")
        cursor = Cursor(head[28:-8])
        objects = [(cursor.u8(), cursor.number(4), cursor.id()) for _ in range(count)]
        need(flags <= 1 and zero == bytes(3) and count, f"{what} has an unknown form")
        need(raw == sum(o[1] for o in objects) and raw <= (512 << 10 if count > 1 else 16 << 20),
             f"{what} has the wrong raw length")
        frame = Frame(offset, flags == 1, raw, offset + len(head), length, payload_checksum, objects)
        need(frame.end <= self.size, f"{what} reaches past the end")
        return frame

    def content(self, frame):
        """The raw payload of a frame."""
        what = f"{self.name}: the frame at {frame.offset}"
        payload = self.read(frame.payload, frame.length)
        need(checksum(payload) == frame.checksum, f"{what} has a damaged payload")
        if frame.is_compressed:
            inflater = zstandard.ZstdDecompressor().decompressobj()
            try:
                payload = inflater.decompress(payload)
            except zstandard.ZstdError as error:
                raise Bad(f"{what}: {error}") from None
            need(inflater.eof and not inflater.unused_data, f"{what} is not one zstd frame")
        need(len(payload) == frame.raw, f"{what} has {len(payload)} raw bytes, not {frame.raw}")
        return payload

    @functools.lru_cache(maxsize=8)
    def content_at(self, offset):
        return self.content(self.frame(offset))

    def frames(self, end):
        offset = self.front
        while offset < end:
            frame = self.frame(offset)
            need(frame.end <= end, f"{self.name}: the frame at {offset} reaches past {end}")
            yield frame
            offset = frame.end

    def trailer(self):
        """Where the trailer begins, and its rows as Frame.rows gives them."""
        end = self.read(max(self.size - 48, 0), 48)
        need(end[-8:] == b"DTMSEAL1", f"{self.name} has no trailer")
        start = int.from_bytes(end[:8], "little")
        cursor = Cursor(self.read(start, max(self.size - 48 - start, 0)))
        need(cursor.take(8) == b"DTMTRLR1", f"{self.name}: the trailer is damaged")
        count, fan = cursor.number(8), [cursor.number(4) for _ in range(256)]
        need(len(cursor.data) == 1040 + 52 * count, f"{self.name}: the trailer has the wrong length")
        rows = []
        for _ in range(count):
            identifier, offset, at = cursor.id(), cursor.number(8), cursor.number(4)
            length, kind, zero = cursor.number(4), cursor.u8(), cursor.take(3)
            need(zero == bytes(3), f"{self.name}: the trailer is damaged")
            rows.append((identifier, kind, offset, at, length))
        firsts = [0] * 256
        for row in rows:
            firsts[row[0][0]] += 1
        need(fan == [sum(firsts[:i + 1]) for i in range(256)], f"{self.name}: the trailer's first bytes are wrong")
        return start, rows

    def index(self):
        """Rows of all objects; from the frames where the trailer is of no use."""
        if self.is_sealed:
            try:
                return self.trailer()[1]
            except Bad as error:
                note(f"{error}; reading the frames")
        rows = []
        try:
            for frame in self.frames(self.size):
                rows.extend(frame.rows())
        except Bad as error:  # of a pack without a trailer the frames up to the first bad one
            note(str(error))
        return rows


# The ref log


Record = namedtuple("Record", "sequence before digest fields")


def whole_record(data, offset):
    """The bytes of the record at the offset, or None when it is not whole there."""
    length = int.from_bytes(data[offset:offset + 4], "little")
    record = data[offset:offset + length]
    if length % 8 or length < 84 or len(record) < length or record[4:8] != b"DREC":
        return None
    return record if sha256(record[:-32]) == record[-32:] else None


def parse_record(record):
    cursor = Cursor(record[:-32])
    cursor.take(8)
    sequence, before = cursor.number(8), cursor.take(32)
    body = cursor.take(cursor.number(4))
    rest = cursor.data[cursor.at:]
    need(len(rest) < 8 and not any(rest), f"record {sequence} is filled up wrongly")
    return Record(sequence, before, record[-32:], Fields(body))


def sector_parts(offset, end):
    while offset < end:
        stop = min(end, offset // 512 * 512 + 512)
        yield offset, stop
        offset = stop


def is_torn(data, offset):
    """Whether what stands at the offset is what a crash leaves of a record."""
    end = len(data)
    if end - offset < 8:
        return True
    if data[offset + 4:offset + 8] == b"DREC":
        length, body = (int.from_bytes(data[at:at + 4], "little") for at in (offset, offset + 48))
        # The length follows from the body's: a length that alone is wrong must not pass for a torn record.
        if offset + 52 > end or length == (84 + body + 7) // 8 * 8:
            if offset + length > end:
                return True
            end = offset + max(length, 8)
    return any(not any(data[a:b]) for a, b in sector_parts(offset, end))


def is_torn_copy(data, offset, record):
    """Whether a copy has of a record (that the other has) only what a crash leaves: each sector is
    there, or is zeros, or is past the end."""
    return all(not any(data[a:b]) or record[a - offset:b - offset].startswith(data[a:b])
               for a, b in sector_parts(offset, offset + len(record)))


class Segment:
    """The records of a segment, and what is wrong with one of the copies (the other one helps)."""

    def __init__(self, folder, number, repository, newest):
        self.name, self.records, self.problems, self.notes = f"refs/{number:08}", [], [], []
        copies = {}
        for letter in "ab":
            try:
                with open(f"{folder}/{number:08}.{letter}", "rb") as file:
                    copies[letter] = file.read()
            except FileNotFoundError:
                copies[letter] = b""
                self.problems.append(f"{self.name}.{letter} is missing")
        header = b"DTMREFS1" + repository + number.to_bytes(8, "little") + bytes(24)
        header += checksum(header)
        bad = [letter for letter in "ab" if copies[letter][:64] != header]
        if len(bad) == 2:
            torn = all(len(data) < 64 or not any(data[:64]) for data in copies.values())
            need(newest and torn, f"{self.name}: both copies' headers are damaged")
            self.notes.append(f"{self.name} was never begun")
            return
        self.problems += [f"{self.name}.{letter}: the header is damaged" for letter in bad if copies[letter]]
        self.read(copies, newest)

    def read(self, copies, newest):
        offset, differing = 64, []
        while True:
            record = whole_record(copies["a"], offset) or whole_record(copies["b"], offset)
            if record is None:
                break
            self.records.append(parse_record(record))
            differing += [(letter, offset, record, len(self.records)) for letter, data in copies.items()
                          if data and data[offset:offset + len(record)] != record]
            offset += len(record)
        for letter, at, record, count in differing:
            what = f"{self.name}.{letter}: record {self.records[count - 1].sequence} (at {at})"
            if newest and count == len(self.records) and is_torn_copy(copies[letter], at, record):
                self.notes.append(f"{what} is torn; the other copy has it")
            else:
                self.problems.append(f"{what} is damaged; the other copy has it")
        rest = {letter: data for letter, data in copies.items() if len(data) > offset}
        later = any(whole_record(data, at) for data in rest.values() for at in range(offset + 8, len(data), 8))
        hurt = [letter for letter, data in rest.items() if later or not newest or not is_torn(data, offset)]
        if hurt:
            names = " and ".join(f"{self.name}.{letter}" for letter in hurt)
            raise Bad(f"no copy has a whole record at {offset} of {self.name}: damage in {names}")
        if rest:
            self.notes.append(f"{self.name}: a torn record at {offset} ends the log")

    def refs(self, state=None):
        """The refs after this segment. `state`: what the segments before it made, (refs, last record)."""
        refs, last = state or (None, None)
        for index, record in enumerate(self.records):
            what = f"{self.name}: record {record.sequence}"
            if last is not None:
                need(record.sequence == last.sequence + 1 and record.before == last.digest,
                     f"{what} does not follow the one before")
            elif record.sequence == 1:
                need(not any(record.before), f"{what} is the first, but names one before")
            if index == 0:
                checkpoint = dict(record.fields.get(10, list_of(string, ref_value), []))
                need(refs is None or refs == checkpoint, f"{what}: the checkpoint's refs are not those of the log")
                refs = checkpoint
            else:
                for name, old, new in record.fields.get(6, list_of(string, ref_value, ref_value), []):
                    need(refs.get(name) == old, f"{what}: {name} moves from where it is not")
                    refs[name] = new
                    if new is None:
                        del refs[name]
            last = record
        return refs


class RefLog:
    """All segments; the refs and the live packs after the last record."""

    def __init__(self, folder, repository):
        self.folder, self.repository, self.notes = folder, repository, []
        self.numbers = sorted({int(name[:8]) for name in os.listdir(folder) if re.fullmatch(r"\d{8}\.[ab]", name)})
        need(self.numbers, "refs/ holds no segment")
        for number in reversed(self.numbers):
            segment = self.segment(number)
            self.notes += segment.notes
            if segment.records:
                break
        need(segment.records, "the ref log has no whole record")
        self.refs = segment.refs()
        self.last = segment.records[-1]
        self.live = self.last.fields.get(8, list_of(lambda c: c.take(16), u8, varint), [])

    def segment(self, number):
        return Segment(self.folder, number, self.repository, number == self.numbers[-1])

    def records(self):
        """All records, the newest first."""
        for number in reversed(self.numbers):
            yield from reversed(self.segment(number).records)

    def given_up(self):
        """The snapshots that were pruned, and whose content a collection has given up since."""
        cutoff, decided, found = None, set(), set()
        for record in self.records():
            details = dict(record.fields.get(12, list_of(string, string), []))
            if record.fields.get(4, string, "") == "collect" and "cutoff" in details:
                seconds, nanoseconds = details["cutoff"].split(".")
                cutoff = max(cutoff or (0, 0), (int(seconds), int(nanoseconds)))
            when = record.fields.get(1, time, (0, 0))
            for subject, key, value in record.fields.get(7, list_of(identifier, string, octets), []):
                if key == "pruned" and subject not in decided:
                    decided.add(subject)
                    if value and cutoff and when <= cutoff:
                        found.add(subject)
        return found

    def behind(self, gone):
        """Where history goes on behind a snapshot that is gone; None where it ends."""
        before = None
        for record in self.records():
            for subject, key, value in record.fields.get(7, list_of(identifier, string, octets), []):
                if subject == gone and key == "predecessor":
                    return value or None
            if not record.fields.get(9, varint):
                for _, old, new in record.fields.get(6, list_of(string, ref_value, ref_value), []):
                    if new == gone and isinstance(old, bytes):
                        before = old
        return before
