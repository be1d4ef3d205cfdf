#!/usr/bin/python3
"""Holds reader.py against fixture.py, which share no code. Run: /usr/bin/python3 Tests/Compatibility/test_reader.py"""

import base64
import contextlib
import hashlib
import io
import json
import os
import shutil
import stat
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import fixture
import format1
import reader
import verifier
from fixture import DIRECTORY, FILE, FOLDER, Random, entry

KINDS = {1: "file", 2: "directory", 3: "symlink", 4: "fifo", 5: "socket", 6: "character device", 7: "block device"}


def run(*arguments):
    """The exit status, the output and the messages of a command."""
    out, messages = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(messages):
        status = reader.main(list(arguments))
    return status, out.getvalue(), messages.getvalue()


def lines(*arguments):
    status, out, messages = run(*arguments)
    assert status == 0, messages
    return [json.loads(line) for line in out.splitlines()]


def change(path, offset, data):
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(data)


def contents(path):
    with open(path, "rb") as file:
        return file.read()


class TemporaryCase(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.path = os.path.join(self.folder, "repository")

    def files(self, *folders):
        return [os.path.join(self.path, folder, name) for folder in folders
                for name in sorted(os.listdir(os.path.join(self.path, folder)))]

    def assert_refused(self, message, *command):
        status, _, messages = run(self.path, *(command or ("verify",)))
        self.assertEqual(status, 1, messages)
        self.assertIn(message, messages)


class Reading(TemporaryCase):
    def setUp(self):
        super().setUp()
        self.snapshots = fixture.make(self.path)

    def test_verify_finds_nothing_and_tells_the_torn_tail(self):
        status, out, messages = run(self.path, "verify")
        self.assertEqual((status, json.loads(out)["sequence"]), (0, 7), messages)
        self.assertIn("refs/00000002.b: record 7", messages)
        self.assertEqual(messages.count("\n"), 1, messages)

    def test_refs(self):
        [value] = lines(self.path, "refs")
        (one, _), (two, _) = self.snapshots
        at = f"folders/{FOLDER}/"
        self.assertEqual(value, {"sequence": 7, "refs": {
            at + "branches/main": two.hex(), at + "HEAD": "main", at + "root": "/home/ann/x", at + "tags/start": one.hex()}})

    def test_log_and_show(self):
        (one, first), (two, _) = self.snapshots
        found = lines(self.path, "log")
        self.assertEqual([s["id"] for s in found], [two.hex(), one.hex()])
        self.assertEqual(found, lines(self.path, "log", FOLDER, "main"))
        self.assertEqual(found, [lines(self.path, "show", i.hex())[0] for i in (two, one)])
        self.assertEqual(found[1]["message"], "first\nwith two lines")
        self.assertEqual(found[1]["totals"]["entries"], len(first) - 1)
        self.assertEqual((found[0]["labels"], found[0]["rules"]), ({"k": "v", "a": "é"}, ["saved"]))
        self.assertEqual(found[0]["uncovered"], [{"path": "d3/x\\xff", "pathBase64": base64.b64encode(b"d3/x\xff").decode()}])
        self.assertEqual(found[0]["changes"], {"added": 2, "modified": 3, "removed": 19})
        self.assert_refused("there is no ref", "log", FOLDER, "other")
        self.assert_refused("0 snapshots", "show", "00ff")

    def test_ls_gives_each_entry(self):
        for identifier, model in self.snapshots:
            found = lines(self.path, "ls", identifier.hex())
            self.assertEqual(len(found), len(model))
            for value, (key, e) in zip(found, sorted(model.items())):
                path = key.replace(b"\0", b"/")
                self.assertEqual(base64.b64decode(value["pathBase64"]) if "pathBase64" in value else value["path"].encode(), path)
                self.assertEqual((value["kind"], value["mode"], value["uid"], value["gid"], value["owner"], value["group"]),
                                 (KINDS[e["kind"]], f"{e['mode']:04o}", e["uid"], e["gid"], e["owner"].decode(), "users"))
                self.assertEqual(value["mtime"], e["seconds"] * 10 ** 9 + e["nanoseconds"])
                self.assertEqual((value["size"], value["inodeFlags"]), (fixture.size_of(e), e["inode_flags"]))
                self.assertEqual({n.encode(): base64.b64decode(v) for n, v in value.get("attributes", {}).items()}, e["attributes"])
                self.assertEqual(value.get("linkGroup"), e["link"] and e["link"].replace(b"\0", b"/").decode())
                if value["content"] == "chunk":
                    self.assertEqual(value["id"], hashlib.sha256(fixture.bytes_of(e)).hexdigest())

    def test_restore_gives_all_back(self):
        for number, (identifier, model) in enumerate(self.snapshots):
            target = os.path.join(self.folder, str(number))
            status, _, messages = run(self.path, "restore", identifier.hex(), target)
            self.assertEqual(status, 0, messages)
            self.compare(os.fsencode(target), model, messages)
        self.assert_refused("is not empty", "restore", identifier.hex(), target)

    def compare(self, target, model, messages):
        found = sum(len(directories) + len(files) for _, directories, files in os.walk(target))
        self.assertEqual(found + messages.count("left out"), len(model) - 1)
        types = {FILE: stat.S_IFREG, DIRECTORY: stat.S_IFDIR, 3: stat.S_IFLNK, 4: stat.S_IFIFO, 5: stat.S_IFSOCK, 6: stat.S_IFCHR}
        inodes = {}
        for key, e in model.items():
            path = target + b"/" + key.replace(b"\0", b"/") if key else target
            if e["kind"] in (5, 6) and not os.path.lexists(path):
                continue  # not every user may make these
            status = os.lstat(path)
            self.assertEqual(stat.S_IFMT(status.st_mode), types[e["kind"]], path)
            self.assertEqual(status.st_mtime_ns, e["seconds"] * 10 ** 9 + e["nanoseconds"], path)
            if e["kind"] != 3:
                self.assertEqual(stat.S_IMODE(status.st_mode), e["mode"], path)
            if os.geteuid() == 0:
                self.assertEqual((status.st_uid, status.st_gid), (e["uid"], e["gid"]), path)
            if e["kind"] == 3:
                self.assertEqual(os.readlink(path), e["target"])
            if e["kind"] == FILE:
                self.assertEqual(contents(path), fixture.bytes_of(e), path)
                if e["runs"] and max((run for run in e["runs"] if isinstance(run, int)), default=0) > 65536:
                    self.assertLess(status.st_blocks * 512, status.st_size, path)
            for name, value in e["attributes"].items():
                if f"{name.decode()}: " not in messages:  # the file system may have none
                    self.assertEqual(os.getxattr(path, name), value)
            if e["link"]:
                inodes.setdefault(e["link"], set()).add((status.st_ino, status.st_nlink))
        self.assertEqual([len(each) for each in inodes.values()], [1])

    def test_a_sealed_pack_without_trailer_is_read_from_its_frames(self):
        before = [lines(self.path, "ls", identifier.hex()) for identifier, _ in self.snapshots]
        for path in self.files("packs"):
            data = contents(path)
            os.truncate(path, data.index(b"DTMTRLR1") + 100)
        self.assertEqual(before, [lines(self.path, "ls", identifier.hex()) for identifier, _ in self.snapshots])
        self.assert_refused("has no trailer")

    def test_a_bad_pack_does_not_hide_what_another_one_has(self):
        live = next(path for path in self.files("live") if path.endswith(".meta"))
        change(live, 0, b"X")
        status, out, messages = run(self.path, "ls", self.snapshots[0][0].hex())
        self.assertEqual((status, len(out.splitlines())), (0, len(self.snapshots[0][1])))
        self.assertIn("is not a pack", messages)

    def test_unknown_versions_and_features_are_refused(self):
        for version, read, message in ((2, [], "version 2"), (1, ["cipher"], "cipher")):
            change(os.path.join(self.path, "format.json"), 0, fixture.format_json(fixture.uuid("repository"), fixture.CHUNKER, version, read))
            for command in (["refs"], ["log"], ["verify"], ["ls", "00"]):
                self.assert_refused(message, *command)


class RefLog(TemporaryCase):
    def make(self, *tails):
        """A log whose last record (number 3) is in copies a and b as `tails` make it of the record's bytes."""
        repository = fixture.Repository(self.path, fixture.CHUNKER)
        repository.begin_segment()
        repository.record("x", [("r", "old")])
        repository.record("x", [("r", "new")], summary="s" * 2000)
        repository.save()
        self.record, start = repository.records[0][-1], len(repository.segments[0]) - len(repository.records[0][-1])
        self.start = start
        for letter, tail in zip("ab", tails):
            with open(f"{self.path}/refs/00000001.{letter}", "r+b") as file:
                file.truncate(start)
                file.seek(start)
                file.write(tail(self.record))

    def ref(self):
        return lines(self.path, "refs")[0]["refs"]["r"]

    def whole(self, record):
        return record

    def zero_sector(self, record):
        middle = (self.start // 512 + 2) * 512 - self.start
        return record[:middle] + bytes(512) + record[middle + 512:]

    def test_one_whole_copy_is_enough(self):
        for other in (lambda r: b"", lambda r: r[:3], lambda r: r[:700], self.zero_sector, lambda r: bytes(len(r))):
            for tails in ((self.whole, other), (other, self.whole)):
                with self.subTest(tails=tails):
                    self.make(*tails)
                    self.assertEqual((self.ref(), run(self.path, "verify")[0]), ("new", 0))
                    shutil.rmtree(self.path)

    def test_a_record_torn_in_both_copies_ends_the_log(self):
        for a in (lambda r: r[:700], self.zero_sector, lambda r: bytes(len(r))):
            for b in (lambda r: b"", lambda r: r[:5], self.zero_sector):
                with self.subTest(a=a, b=b):
                    self.make(a, b)
                    status, out, messages = run(self.path, "refs")
                    self.assertEqual(json.loads(out)["refs"]["r"], "old")
                    self.assertIn("ends the log", messages)
                    self.assertEqual(run(self.path, "verify")[0], 0)
                    shutil.rmtree(self.path)

    def test_damage_is_not_taken_for_a_torn_record(self):
        flipped = lambda r: r[:900] + bytes([r[900] ^ 1]) + r[901:]
        self.make(flipped, flipped)
        self.assert_refused("no copy has a whole record", "refs")
        shutil.rmtree(self.path)
        self.make(flipped, self.whole)
        self.assertEqual(self.ref(), "new")
        self.assert_refused("refs/00000001.a: record 3")
        shutil.rmtree(self.path)
        self.make(flipped, lambda r: r[:700])
        self.assert_refused("no copy has a whole record", "refs")

    def test_a_torn_record_in_the_middle_is_damage(self):
        repository = fixture.Repository(self.path, fixture.CHUNKER)
        repository.begin_segment()
        repository.record("x", summary="s" * 2000)
        repository.record("x")
        repository.save()
        for letter in "ab":
            change(f"{self.path}/refs/00000001.{letter}", 1024, bytes(512))
        self.assert_refused("no copy has a whole record", "refs")

    def test_a_flipped_length_does_not_pass_for_a_torn_record(self):
        longer = lambda r: bytes([r[0], r[1] ^ 128]) + r[2:]
        self.make(longer, lambda r: r[:700])
        self.assert_refused("no copy has a whole record", "refs")

    def test_the_chain_is_checked(self):
        for name, hurt in (("sequence", dict(sequence=5)), ("before", dict(before=bytes(32))), ("refs", dict(refs={"r": "other"}))):
            with self.subTest(name):
                repository = fixture.Repository(self.path, fixture.CHUNKER)
                repository.begin_segment()
                repository.record("x", [("r", "value")])
                for key, value in hurt.items():
                    setattr(repository, key, value)
                repository.begin_segment()
                repository.save()
                self.assert_refused("does not follow" if name != "refs" else "checkpoint's refs")
                shutil.rmtree(self.path)

    def test_a_newest_segment_that_was_never_begun_is_passed_over(self):
        self.make(self.whole, self.whole)
        for letter in "ab":
            with open(f"{self.path}/refs/00000002.{letter}", "wb") as file:
                file.write(bytes(30))
        self.assertEqual((self.ref(), run(self.path, "verify")[0]), ("new", 0))


class Flips(TemporaryCase):
    """Every byte that counts is turned in turn; `verify` tells each time, and names the file."""

    def test_every_byte(self):
        fixture.make_small(self.path)
        self.assertEqual(run(self.path, "verify")[0], 0)
        with contextlib.closing(reader.Repository(self.path)) as repository:
            live = {identifier.hex(): length for identifier, _, length in repository.log.live}
        self.assertEqual(len(live), 1)
        count = 0
        for path in self.files("refs", "packs", "live"):
            name, data = os.path.relpath(path, self.path), contents(path)
            for offset in range(live.get(os.path.basename(path).split(".")[0], len(data))):
                change(path, offset, bytes([data[offset] ^ 1 << offset % 8]))
                status, _, messages = run(self.path, "verify")
                change(path, offset, data[offset:offset + 1])
                self.assertEqual(status, 1, f"{name} at {offset}")
                self.assertIn(name, messages, f"{name} at {offset}")
                count += 1
        self.assertGreater(count, 5000)
        self.assertEqual(run(self.path, "verify")[0], 0)


class WrongPacks(TemporaryCase):
    """Packs that were written wrong: their digests are right."""

    def check(self, message, hurt):
        fixture.make_small(self.path)
        path = self.files("packs")[0]
        data = bytearray(contents(path))
        hurt(data, int.from_bytes(data[8:12], "little"), int.from_bytes(data[-48:-40], "little"))
        data[-40:-8] = hashlib.sha256(data[:-40]).digest()
        with open(path, "wb") as file:
            file.write(data)
        self.assert_refused(message)
        shutil.rmtree(self.path)

    def test_trailers(self):
        def first_bytes(data, front, trailer):
            data[trailer + 16 + 4 * 255] += 1

        def row(data, front, trailer):
            data[trailer + 1040 + 44] ^= 1  # its length

        self.check("first bytes are wrong", first_bytes)
        self.check("rows are not the frames' objects", row)

    def test_frames(self):
        def reseal_head(data, front):
            end = front + 28 + 37 * int.from_bytes(data[front + 8:front + 12], "little")
            data[end:end + 8] = hashlib.sha256(data[front:end]).digest()[:8]

        def payload_checksum(data, front, trailer):
            data[front + 20] ^= 1
            reseal_head(data, front)

        def flags(data, front, trailer):
            data[front + 4] = 2
            reseal_head(data, front)

        def stored(data, front, trailer):
            data[front + 4] = 0
            reseal_head(data, front)

        self.check("damaged payload", payload_checksum)
        self.check("unknown form", flags)
        self.check("raw bytes, not", stored)


class WrongTrees(TemporaryCase):
    """A writer that does one thing wrong, with right ids and checksums: only `verify` can tell."""

    def check(self, message, model, hurt=lambda objects: None, **values):
        repository = fixture.Repository(self.path, fixture.CHUNKER)
        hurt(repository.objects)
        repository.begin_segment()
        one = repository.objects.snapshot(model, **values)
        repository.flush(sealed=True)
        repository.record("snapshot", [("folders/f/branches/main", one)])
        repository.save()
        if message:
            self.assert_refused(message)
        else:
            self.assertEqual(run(self.path, "verify")[0], 0)
        shutil.rmtree(self.path)

    def test_wide_deep_and_empty_trees_are_right(self):
        for model in (fixture.wide_model(12_000), fixture.long_model(), {}, {b"": entry(DIRECTORY)}):
            self.check(None, model)

    def test_page_borders(self):
        def early(objects):
            objects.page_border = lambda level, keys: len(keys) == 100 or fixture.page_border(level, keys)

        def late(objects):
            objects.page_border = lambda level, keys: len(keys) == 300

        self.check("ends where no border is", fixture.wide_model(1000), early)
        self.check("goes on after a border", fixture.wide_model(1000), late)

    def test_list_cuts(self):
        def early(objects):
            objects.list_border = lambda children: len(children) == 15 or fixture.list_border(children)

        def late(objects):
            objects.list_border = lambda children: len(children) == 300

        model = {b"": entry(DIRECTORY), b"a": entry(FILE, runs=[Random(9).bytes(300_000)])}
        self.check(None, model)
        self.check("ends where no border is", model, early)
        self.check("goes on after a border", model, late)

    def test_chunk_cuts(self):
        model = {b"": entry(DIRECTORY), b"a": entry(FILE, runs=[Random(9).bytes(30_000)])}
        for wrong in ((256, 512, 4096), (512, 1024, 4096), (256, 1024, 2048)):
            self.check("cut in the wrong place", model, lambda objects: setattr(objects, "chunker", wrong))
        # A run between holes ends a chunk, and the next chunk begins a new one: two runs without a hole do not.
        self.check("cut in the wrong place", {**model, b"a": entry(FILE, runs=[b"a" * 200, b"b" * 200])})
        self.check("a hole follows a hole", {**model, b"a": entry(FILE, runs=[4096, 4096, b"b" * 200])})

    def test_counts_keys_and_parents(self):
        root, file = entry(DIRECTORY), entry(FILE)
        self.check("the totals are", {b"": root, b"a": file}, totals=(2, 0, 1))
        self.check("the parent of a/b is not a directory", {b"": root, b"a": file, b"a\0b": file})
        self.check("the parent of a is not a directory", {b"a": file})
        for key in (b"..", b"a/b", b"\0a", b"a\0"):
            self.check("is not a key", {b"": root, b"a": root, key: file})
        self.check("its link group has no first entry", {b"": root, b"a": file, b"b": entry(FILE, link=b"a")})
        self.check("are one file, but differ", {b"": root, b"a": entry(FILE, link=b"a"), b"b": entry(FILE, link=b"a", runs=[b"x"])})

        def miscount(objects):
            inner = objects.inner
            objects.inner = lambda level, children: inner(level, [(k, i, n + 1, s) for k, i, n, s in children])

        self.check("the counts of (the folder) are wrong", fixture.wide_model(1000), miscount)

        def misname(objects):
            inner = objects.inner
            objects.inner = lambda level, children: inner(level, [(k + b"!", i, n, s) for k, i, n, s in children])

        self.check("does not begin with its key", fixture.wide_model(1000), misname)

    def test_a_missing_object(self):
        self.check("is in no pack", {b"": entry(DIRECTORY), b"a": entry(FILE, runs=[Random(9).bytes(200)])},
                   lambda objects: setattr(objects, "data", type("Lost", (list,), {"append": lambda self, item: None})()))


class Golden(unittest.TestCase):
    def setUp(self):
        with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden.json")) as file:
            self.golden = json.load(file)

    def test_golden_json_is_what_the_fixture_makes(self):
        self.assertEqual(json.loads(json.dumps(fixture.golden())), self.golden)

    def test_the_reader_agrees(self):
        for case in self.golden["cuts"]:
            data = Random(case["seed"]).bytes(case["length"]) if case["seed"] else bytes(case["length"])
            start, lengths = 0, []
            while start < len(data):
                lengths.append(verifier.first_cut(data[start:], *case["chunker"])[0])
                start += lengths[-1]
            self.assertEqual(lengths, case["lengths"], case["chunker"])
        for case in self.golden["borders"]:
            self.assertEqual(f"{verifier.border_hash(case['level'], bytes.fromhex(case['key'])):016x}", case["hash"])
        for name, decode in (("varints", format1.Cursor.varint), ("svarints", format1.Cursor.svarint)):
            for case in self.golden[name]:
                self.assertEqual(format1.whole(bytes.fromhex(case["encoding"]), decode), int(case["value"]))
        for name in ("emptyTree", "leafPage", "innerPage"):
            data = bytes.fromhex(self.golden[name]["encoding"])
            format1.check_id(format1.PAGE, bytes.fromhex(self.golden[name]["id"]), data)
            format1.whole(data, format1.parse_page)


class Version1Case(TemporaryCase):
    """What the program wrote when format 1 was its format (version1/make.sh) is read as it was meant."""

    def setUp(self):
        super().setUp()
        here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "version1")
        shutil.copytree(os.path.join(here, "repository"), self.path)
        for name in ("packs", "live", "index", "state", "trash", "journal", "locks"):
            os.makedirs(os.path.join(self.path, name), exist_ok=True)
        with open(os.path.join(here, "expected.json"), encoding="utf-8") as file:
            self.expected = json.load(file)

    def test_is_sound(self):
        status, out, messages = run(self.path, "verify")
        self.assertEqual((status, messages), (0, ""), out)

    def test_restores_each_snapshot(self):
        self.assertEqual(len(self.expected), 3)
        for snapshot in self.expected:
            out = os.path.join(self.folder, snapshot["id"])
            status, _, messages = run(self.path, "restore", snapshot["id"], out)
            self.assertEqual(status, 0, messages)
            found = {}
            for at, folders, files in os.walk(out):
                for name in folders + files:
                    path = os.path.join(at, name)
                    found[os.path.relpath(path, out)] = self.look(path)
            self.assertEqual(found, snapshot["entries"])

    @staticmethod
    def look(path):
        status = os.lstat(path)
        if stat.S_ISLNK(status.st_mode):
            return {"kind": "symlink", "target": os.readlink(path)}
        mode = stat.S_IMODE(status.st_mode)
        if stat.S_ISDIR(status.st_mode):
            return {"kind": "directory", "mode": mode}
        data = contents(path)
        return {"kind": "file", "mode": mode, "mtime": status.st_mtime_ns, "size": len(data),
                "sha256": hashlib.sha256(data).hexdigest()}


if __name__ == "__main__":
    unittest.main()
