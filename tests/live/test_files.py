"""Calls about files, as real processes make them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from engine.events import FLAG_TABLES
from engine.sources.live.source import LiveSource, Options
from tests.live.observing import Observer
from tests.views.running import as_rows
from tests.views.running import run as run_view

FLAGS = dict(FLAG_TABLES["file_flags"])


def flags(*names: str) -> int:
    return sum(FLAGS[name] for name in names)


def test_opening_creating_and_closing_tell_path_flags_mode_and_inode(observer: Observer, tmp_path: Path) -> None:
    path = tmp_path / "created"
    run = observer.python(
        "import os, sys; fd = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o640); os.close(fd)",
        str(path),
    )
    facts = path.stat()
    opened = run.call("openat", name=os.fsencode(path))
    assert opened.flags == flags("O_CREAT", "O_WRONLY", "O_EXCL", "O_CLOEXEC", "O_F_CREATED")
    assert opened.mode == 0o640
    assert opened.dirfd == -100
    assert opened.ino == facts.st_ino
    assert opened.dev == os.major(facts.st_dev) << 8 | os.minor(facts.st_dev)
    assert opened.fd_name == os.fsencode(path)
    closed = run.calls("close", fd=opened.fd)
    assert [event.fd_name for event in closed][-1:] == [os.fsencode(path)]


def test_a_failing_open_tells_what_was_tried(observer: Observer, tmp_path: Path) -> None:
    path = tmp_path / "absent"
    run = observer.python(
        "import os, sys\ntry: os.open(sys.argv[1], os.O_RDONLY)\nexcept FileNotFoundError: pass", str(path)
    )
    opened = run.call("openat", name=os.fsencode(path))
    assert opened.result == -2
    assert (opened.dev, opened.ino) == (0, 0)
    assert opened.flags == flags("O_RDONLY", "O_CLOEXEC")


def test_every_read_and_write_call_tells_fd_size_data_and_offset(observer: Observer, tmp_path: Path) -> None:
    path = tmp_path / "data"
    run = observer.python(
        """
import ctypes, os, sys
fd = os.open(sys.argv[1], os.O_CREAT | os.O_RDWR, 0o600)
os.write(fd, b"written-once")
os.pwrite(fd, b"PWRITTEN", 100)
os.writev(fd, [b"part1-", b"part2-", b"part3"])
def vectors(number, *parts):
    arrays = [ctypes.create_string_buffer(part, len(part)) for part in parts]
    table = (ctypes.c_void_p * (2 * len(parts)))()
    for index, array in enumerate(arrays):
        table[2 * index], table[2 * index + 1] = ctypes.addressof(array), len(array)
    assert ctypes.CDLL(None).syscall(number, fd, table, len(parts), ctypes.c_long(200), 0) > 0
vectors(296, b"vector", b"ed")
os.lseek(fd, 0, os.SEEK_SET)
os.read(fd, 64)
os.pread(fd, 5, 100)
os.readv(fd, [bytearray(3), bytearray(4)])
vectors(295, bytes(4), bytes(4))
""",
        str(path),
    )
    name = os.fsencode(path)
    fd = run.call("openat", name=name).fd

    def of_the_file(call: str) -> None:
        found = run.call(call, fd=fd)
        assert found.fd_name == name
        assert found.latency > 0

    assert run.call("write", fd=fd).data == b"written-once"
    assert (run.call("write", fd=fd).size, run.call("write", fd=fd).result) == (12, 12)
    pwrite = run.call("pwrite", fd=fd)
    assert (pwrite.data, pwrite.pos, pwrite.size) == (b"PWRITTEN", 100, 8)
    writev = run.call("writev", fd=fd)
    assert (writev.data, writev.size, writev.result) == (b"part1-part2-part3", 17, 17)
    pwritev = run.call("pwritev", fd=fd)
    assert (pwritev.data, pwritev.pos) == (b"vectored", 200)
    read = run.call("read", fd=fd, size=64)
    assert read.data == (b"written-once" + b"part1-part2-part3" + bytes(64))[:64]
    pread = run.call("pread", fd=fd, pos=100)
    assert (pread.data, pread.size, pread.result) == (b"PWRIT", 5, 5)
    readv = run.call("readv", fd=fd)
    assert (readv.size, readv.result, len(readv.data)) == (7, 7, 7)
    preadv = run.call("preadv", fd=fd)
    assert (preadv.data, preadv.pos, preadv.size) == (b"vectored", 200, 8)
    for call in ("write", "pwrite", "writev", "pwritev", "readv", "preadv"):
        of_the_file(call)
    assert ("lseek", 0, 0) in [(event.event, event.offset, event.whence) for event in run.calls("lseek", fd=fd)]


def test_data_is_cut_at_the_snap_length_and_the_result_is_not(observer: Observer) -> None:
    run = observer.python("import os; r, w = os.pipe(); os.write(w, bytes(range(250)) * 4); os.read(r, 4096)")
    (written,) = [event for event in run.calls("write", size=1000)]
    assert (written.result, written.data) == (1000, bytes(range(80)))
    (read,) = [event for event in run.calls("read", size=4096) if event.result == 1000]
    assert read.data == bytes(range(80))


def test_as_much_data_is_kept_as_was_asked_for_up_to_what_an_event_holds(observer: Observer) -> None:
    for asked, kept in ((5000, 5000), (1 << 20, 32768)):
        wide = Observer(LiveSource(Options(ring=8 << 20), snaplen=asked))
        run = wide.python(
            "import os\nfd = os.open('/dev/null', os.O_WRONLY)\nos.write(fd, bytes(range(256)) * 400)\n"
            "os.writev(fd, [b'a' * 3000, b'b' * 40000])"
        )
        wide.close()
        assert run.call("write").data == (bytes(range(256)) * 400)[:kept]
        assert run.call("writev").data == (b"a" * 3000 + b"b" * 40000)[:kept]
        assert (run.call("write").result, run.call("writev").size) == (102400, 43000)


def test_names_of_files_are_told_by_every_call_that_changes_them(observer: Observer, tmp_path: Path) -> None:
    run = observer.python(
        """
import os, sys
os.chdir(sys.argv[1])
os.mkdir("d", 0o700)
open("a", "w").close()
os.rename("a", "b")
os.link("b", "c")
os.symlink("c", "s")
os.chmod("b", 0o640)
os.truncate("b", 3)
os.unlink("c")
os.unlink("s")
os.stat("b")
os.lstat("b")
os.access("b", os.R_OK)
os.chown("b", -1, -1)
os.mkfifo("f", 0o600)
d = os.open("d", os.O_RDONLY)
fd = os.open("inside", os.O_CREAT | os.O_WRONLY, 0o600, dir_fd=d)
os.fchmod(fd, 0o644)
os.rename("inside", "renamed", src_dir_fd=d, dst_dir_fd=d)
os.unlink("renamed", dir_fd=d)
os.rmdir("d")
""",
        str(tmp_path),
    )
    assert run.call("chdir").path == os.fsencode(tmp_path)
    assert (run.call("mkdir").path, run.call("mkdir").mode) == (b"d", 0o700)
    rename = run.call("rename")
    assert (rename.oldpath, rename.newpath) == (b"a", b"b")
    linked = run.calls("link") + run.calls("linkat")
    assert [(event.oldpath, event.newpath) for event in linked] == [(b"b", b"c")]
    assert [(event.target, event.linkpath) for event in run.calls("symlink")] == [(b"c", b"s")]
    assert (run.call("chmod").filename, run.call("chmod").mode) == (b"b", 0o640)
    assert [event.path for event in run.calls("unlink")] == [b"c", b"s"]
    assert run.call("chown").path == b"b"
    assert run.call("access", name=b"b").mode == 4
    inside = run.call("openat", name=b"inside")
    assert inside.fd_name == os.fsencode(tmp_path / "d" / "inside")
    assert run.call("fchmod").fd_name == inside.fd_name
    renameat = run.call("renameat")
    assert (renameat.oldpath, renameat.newpath, renameat.olddirfd) == (b"inside", b"renamed", inside.dirfd)
    assert run.call("unlinkat", name=b"renamed").dirfd == inside.dirfd
    assert run.call("rmdir").path == b"d"
    made = run.calls("mknod") + run.calls("mknodat")
    assert [event.path for event in made] == [b"f"]


def test_files_of_an_overlay_tell_their_layer(observer: Observer, tmp_path: Path) -> None:
    for name in ("lower", "upper", "work", "both"):
        (tmp_path / name).mkdir()
    (tmp_path / "lower/old").touch()
    options = ",".join(f"{kind}dir={tmp_path / kind}" for kind in ("lower", "upper", "work"))
    script = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
if libc.unshare(0x20000) or libc.mount(b"none", b"/", None, 0x44000, None): sys.exit(3)
os.chdir(sys.argv[1])
if libc.mount(b"overlay", b"both", b"overlay", 0, sys.argv[2].encode()): sys.exit(3)
os.open("both/old", os.O_RDONLY)
os.open("both/new", os.O_CREAT | os.O_WRONLY)
os.open("lower/old", os.O_RDONLY)
libc.creat(b"both/made", 0o600)
"""
    run = observer.run(sys.executable, "-I", "-S", "-c", script, str(tmp_path), options)
    if run.status == 3:
        pytest.skip("no overlay can be mounted here")
    layers = FLAGS["FD_UPPER_LAYER"] | FLAGS["FD_LOWER_LAYER"]
    assert run.call("openat", name=b"both/old").flags & layers == FLAGS["FD_LOWER_LAYER"]
    assert run.call("openat", name=b"both/new").flags & layers == FLAGS["FD_UPPER_LAYER"]
    assert run.call("openat", name=b"lower/old").flags & layers == 0
    made = [event.creat_flags for event in run.calls("creat")]
    made += [1 if event.flags & FLAGS["FD_UPPER_LAYER"] else 0 for event in run.calls("openat", name=b"both/made")]
    assert made == [1]


def test_copies_of_an_fd_stay_the_same_file(observer: Observer, tmp_path: Path) -> None:
    path = tmp_path / "copied"
    run = observer.python(
        """
import fcntl, os, sys
fd = os.open(sys.argv[1], os.O_CREAT | os.O_RDWR, 0o600)
os.dup2(fd, 50)
os.write(50, b"two")
os.dup2(fd, 60, inheritable=False)
os.write(60, b"three")
other = fcntl.fcntl(fd, fcntl.F_DUPFD, 70)
os.write(other, b"fcntl")
""",
        str(path),
    )
    for fd, data in ((50, b"two"), (60, b"three"), (70, b"fcntl")):
        written = run.call("write", fd=fd)
        assert (written.data, written.fd_name) == (data, os.fsencode(path))


def test_openat2_tells_what_its_structure_says(observer: Observer, tmp_path: Path) -> None:
    path = tmp_path / "resolved"
    path.touch()
    run = observer.python(
        """
import ctypes, os, struct, sys
how = ctypes.create_string_buffer(struct.pack("<QQQ", os.O_RDONLY | os.O_CLOEXEC, 0, 0x02), 24)
fd = ctypes.CDLL(None).syscall(437, -100, os.fsencode(sys.argv[1]), how, 24)
assert fd > 0
""",
        str(path),
    )
    opened = run.call("openat2")
    assert opened.name == os.fsencode(path)
    assert opened.flags == flags("O_RDONLY", "O_CLOEXEC")
    assert opened.resolve == dict(FLAG_TABLES["openat2_flags"])["RESOLVE_NO_MAGICLINKS"]
    assert opened.ino == path.stat().st_ino


def test_mapping_memory_tells_its_file_protection_and_the_memory_after_it(observer: Observer, tmp_path: Path) -> None:
    path = tmp_path / "mapped"
    path.write_bytes(bytes(8192))
    run = observer.python(
        "import mmap, os, sys; fd = os.open(sys.argv[1], os.O_RDONLY); "
        "mmap.mmap(fd, 8192, mmap.MAP_PRIVATE, mmap.PROT_READ)[:10]",
        str(path),
    )
    (mapped,) = [event for event in run.calls("mmap", length=8192) if event.fd >= 0 and event.fd_name == bytes(path)]
    assert mapped.prot == dict(FLAG_TABLES["prot_flags"])["PROT_READ"]
    assert mapped.flags == dict(FLAG_TABLES["mmap_flags"])["MAP_PRIVATE"]
    assert mapped.vm_size > mapped.vm_rss > 1000


ATTEMPTS = """
import os
os.setgid(65534); os.setuid(65534)
os.chdir("/etc")
for attempt, *paths in (
    (os.unlink, "shadow"), (os.rename, "shadow", "/etc/taken"), (os.chmod, "/etc/shadow", 0o777),
    (os.rmdir, "/etc/there-is-none"), (os.symlink, "shadow", "/etc/soft"), (os.mknod, "/etc/made"),
    (open, "/etc/shadow", "w"),
):
    try: attempt(*paths)
    except OSError: pass
"""


def test_attempts_on_files_tell_what_was_tried(observer: Observer) -> None:
    pid = observer.python(ATTEMPTS).pid
    rows = [row for row in as_rows(run_view(observer.store, "file_integrity")) if row["PID"] == pid]
    assert [(row["OPERATION"], row["RES"], row["PATH"], row["TO"]) for row in rows if row["USER"] == "nobody"] == [
        ("unlink", "EACCES", "/etc/shadow", None),
        ("rename", "EACCES", "/etc/shadow", "/etc/taken"),
        ("chmod", "EPERM", "/etc/shadow", None),
        ("rmdir", "ENOENT", "/etc/there-is-none", None),
        ("symlink", "EACCES", "/etc/soft", "/etc/shadow"),
        ("mknodat", "EACCES", "/etc/made", None),
        ("openat", "EACCES", "/etc/shadow", None),
    ]
