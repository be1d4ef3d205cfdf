"""Random trees with everything that a file system keeps, for tests of what a restore brings back.

    random_tree.py make DIR SEED COUNT     makes COUNT entries
    random_tree.py change DIR SEED COUNT   changes, adds and removes about COUNT entries
    random_tree.py flags DIR               prints the inode flags, which rsync does not compare

Nothing of the code under test is used. `.dtm` at the top is left alone.
"""
import fcntl
import os
import random
import stat
import struct
import subprocess
import sys

GET_FLAGS, SET_FLAGS = 0x80086601, 0x40086602
IMMUTABLE, NODUMP = 16, 64
NOBODY = 0xFFFFFFFF
IS_ROOT = os.geteuid() == 0


def get_flags(path):
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    try:
        value = bytearray(8)
        fcntl.ioctl(descriptor, GET_FLAGS, value, True)
        return struct.unpack("<I", value[:4])[0]
    finally:
        os.close(descriptor)


def set_flags(path, flags):
    present = get_flags(path)
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    try:
        wanted = present & ~(IMMUTABLE | NODUMP) | flags
        fcntl.ioctl(descriptor, SET_FLAGS, struct.pack("<Q", wanted))
    finally:
        os.close(descriptor)


class RandomTree:
    def __init__(self, root, seed):
        self.root = root
        self.random = random.Random(seed)

    def entries(self):
        """Directories, the root first, and all else."""
        directories, others = [self.root], []
        for directory, inner, names in os.walk(self.root):
            if directory == self.root:
                inner[:] = [name for name in inner if name != b".dtm"]
                names = [name for name in names if name != b".dtm"]
            for name in inner:
                path = os.path.join(directory, name)
                (others if os.path.islink(path) else directories).append(path)
            others += [os.path.join(directory, name) for name in names]
        return [self.root] + sorted(directories[1:]), sorted(others)

    def chance(self, part):
        return self.random.random() < part

    def name(self):
        if self.chance(0.03):
            return bytes([self.random.choice(b"abc")]) * 255
        name = bytes(
            self.random.choice([self.random.randrange(1, 256), self.random.randrange(97, 101)])
            for _ in range(self.random.randrange(1, 7))
        ).replace(b"/", b"_")
        return b"d" if name in (b".", b"..", b".dtm") else name

    def access_list(self):
        below = self.random.randrange
        users = sorted(self.random.sample(range(1000, 1010), below(1, 3)))
        entries = [(1, below(8) if IS_ROOT else 7, NOBODY)]
        entries += [(2, below(8), user) for user in users]
        entries.append((4, below(8), NOBODY))
        if self.chance(0.5):
            entries.append((8, below(8), below(1000, 1010)))
        entries += [(16, below(8), NOBODY), (32, below(8), NOBODY)]
        return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *one) for one in entries)

    def set_attribute(self, path, name, value):
        try:
            os.setxattr(path, name, value, follow_symlinks=False)
        except OSError:
            pass  # not on this kind of thing, or not on this file system

    def decorate(self, path):
        """Owner, mode, attributes, lists, capabilities."""
        mode = os.lstat(path).st_mode
        is_link, is_directory = stat.S_ISLNK(mode), stat.S_ISDIR(mode)
        bytes_of = lambda count: bytes(self.random.randrange(256) for _ in range(count))
        if IS_ROOT and self.chance(0.4):
            os.lchown(
                path, self.random.choice([0, 1000, 1001, 65534]), self.random.choice([0, 1000, 1001])
            )
        if not is_link and self.chance(0.5):
            wanted = self.random.choice(
                [0, 0o400, 0o644, 0o755, 0o4755, 0o2755, 0o6711, 0o1777, 0o7777]
            )
            if not IS_ROOT:
                wanted |= 0o700 if is_directory else 0o400
            os.chmod(path, wanted)
        if stat.S_ISREG(mode) or is_directory:
            if self.chance(0.3):
                length = self.random.choice([0, 5, 200, 1500])
                self.set_attribute(path, "user." + self.random.choice("abcd"), bytes_of(length))
            if self.chance(0.2):
                self.set_attribute(path, "system.posix_acl_access", self.access_list())
            if is_directory and self.chance(0.2):
                self.set_attribute(path, "system.posix_acl_default", self.access_list())
        if IS_ROOT:
            if self.chance(0.2):
                self.set_attribute(path, "trusted." + self.random.choice("ab"), bytes_of(20))
            if stat.S_ISREG(mode) and self.chance(0.2):
                capabilities = struct.pack("<IIIII", 0x02000001, 0x400, 0, 0, 0)
                self.set_attribute(path, "security.capability", capabilities)
            if self.chance(0.1):
                self.set_attribute(path, "security.thing", b"abc")

    def put(self, path):
        below = self.random.randrange
        kind = self.random.random()
        if kind < 0.2:
            os.mkdir(path)
        elif kind < 0.28:
            os.symlink(b"target %d\xff" % below(9), path)
        elif kind < 0.34:
            os.mkfifo(path)
        elif kind < 0.38:
            os.mknod(path, 0o600 | stat.S_IFSOCK)
        elif kind < 0.43 and IS_ROOT:
            device = self.random.choice([stat.S_IFCHR, stat.S_IFBLK])
            os.mknod(path, 0o600 | device, os.makedev(below(300), below(70000)))
        elif kind < 0.6:
            others = self.entries()[1]
            if others:
                os.link(self.random.choice(others), path, follow_symlinks=False)
            return
        elif kind < 0.68:
            with open(path, "wb") as file:
                if self.chance(0.5):
                    file.write(self.random.randbytes(9000))
                for _ in range(below(3)):
                    file.seek(below(1_000_000))
                    file.write(b"data" * below(3000))
                file.truncate(1_000_000 + below(900_000))
        else:
            with open(path, "wb") as file:
                length = self.random.choice([0, 1, 100, 128, 129, 5000, 20_000, 300_000])
                file.write(self.random.randbytes(length))
        self.decorate(path)

    def add(self):
        path = os.path.join(self.random.choice(self.entries()[0]), self.name())
        if not os.path.lexists(path):
            self.attempt(lambda: self.put(path))

    def alter(self):
        directories, others = self.entries()
        if not others + directories[1:]:
            return
        path = self.random.choice(others + directories[1:])
        if self.chance(0.4):
            subprocess.run([b"rm", b"-rf", b"--", path], check=True)
            if self.chance(0.5):
                self.attempt(lambda: self.put(path))
            return
        if stat.S_ISREG(os.lstat(path).st_mode) and self.chance(0.5) and os.access(path, os.W_OK):
            with open(path, "r+b") as file:
                file.seek(self.random.randrange(5000))
                file.write(b"changed")
        self.attempt(lambda: self.decorate(path))

    def attempt(self, body):
        try:
            body()
        except PermissionError:
            pass  # what this user may not do is not done

    def change(self, count):
        for path in sum(self.entries(), []):
            if stat.S_IFMT(os.lstat(path).st_mode) in (stat.S_IFREG, stat.S_IFDIR):
                try:
                    set_flags(path, 0)
                except OSError:
                    pass
        for _ in range(count):
            self.alter() if self.chance(0.6) else self.add()

    def settle(self):
        """Times of their own, some before 1970 and after 2038; then flags."""
        directories, others = self.entries()
        for path in others + directories[::-1]:
            second = self.random.choice(
                [
                    self.random.randrange(-300_000_000, 2_000_000_000),
                    self.random.randrange(2**32, 2**33),
                ]
            )
            time = second * 10**9 + self.random.randrange(10**9)
            self.attempt(lambda: os.utime(path, ns=(10**18, time), follow_symlinks=False))
        for path in others + directories[1:]:
            if stat.S_IFMT(os.lstat(path).st_mode) not in (stat.S_IFREG, stat.S_IFDIR):
                continue
            try:
                if self.chance(0.1):
                    set_flags(path, NODUMP)
                elif IS_ROOT and self.chance(0.1):
                    set_flags(path, IMMUTABLE)
            except OSError:
                pass  # a file system without flags

    def print_flags(self):
        for path in sorted(sum(self.entries(), [])):
            if stat.S_IFMT(os.lstat(path).st_mode) in (stat.S_IFREG, stat.S_IFDIR):
                try:
                    flags = get_flags(path) & (IMMUTABLE | NODUMP)
                except OSError:
                    continue
                if flags:
                    print(os.path.relpath(path, self.root), flags)


def main():
    task, root = sys.argv[1], os.fsencode(sys.argv[2])
    tree = RandomTree(root, int(sys.argv[3]) if len(sys.argv) > 3 else 0)
    if task == "flags":
        tree.print_flags()
    elif task == "make":
        for _ in range(int(sys.argv[4])):
            tree.add()
        tree.settle()
    else:
        tree.change(int(sys.argv[4]))
        tree.settle()


main()
