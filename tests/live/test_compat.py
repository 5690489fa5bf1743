"""Calls of 32-bit programs: counted, and never taken for the 64-bit call of their number."""

from __future__ import annotations

import struct
from collections import Counter
from pathlib import Path

from tests.live.observing import Observer, Run

GETPID, WRITE, EXIT, FORK, WAITPID = 20, 4, 1, 2, 7


def program(times: int) -> bytes:
    """A 32-bit executable that calls getpid so many times, writes to nowhere, forks; both wait for a child and exit
    with 3."""
    code = struct.pack("<BI", 0xBE, times)  # mov esi, times
    code += b"\xb8" + struct.pack("<I", GETPID) + b"\xcd\x80" + b"\x4e" + b"\x75\xf6"  # int 0x80; dec esi; jnz
    code += b"\xb8" + struct.pack("<I", WRITE) + b"\xbb" + struct.pack("<i", -1) + b"\x31\xc9\x31\xd2\xcd\x80"
    code += b"\xb8" + struct.pack("<I", FORK) + b"\xcd\x80"
    code += b"\xb8" + struct.pack("<I", WAITPID) + b"\xbb" + struct.pack("<i", -1) + b"\x31\xc9\x31\xd2\xcd\x80"
    code += b"\xb8" + struct.pack("<I", EXIT) + b"\xbb" + struct.pack("<I", 3) + b"\xcd\x80"
    base, headers = 0x08048000, 52 + 32
    size = headers + len(code)
    header = b"\x7fELF\x01\x01\x01" + bytes(9)
    header += struct.pack("<HHIIIIIHHHHHH", 2, 3, 1, base + headers, 52, 0, 0, 52, 32, 1, 40, 0, 0)
    segment = struct.pack("<IIIIIIII", 1, 0, base, base, size, size, 5, 0x1000)
    return header + segment + code


def names(run: Run) -> Counter[str]:
    return Counter(event.event for event in run.events if event.is_exit)


def test_a_32_bit_program_is_counted_call_by_call_under_no_wrong_name(observer: Observer, tmp_path: Path) -> None:
    path = tmp_path / "old"
    path.write_bytes(program(50))
    path.chmod(0o755)
    run = observer.run(str(path))
    assert run.status == 3
    # Its getpid has the number of writev, its write that of stat, its waitpid that of poll.
    assert names(run) == {"execve": 1, "<unknown>": 53, "fork": 2}
    assert {event.thread.comm for event in run.calls("<unknown>")} == {b"old"}
    assert run.call("execve").trusted_exepath == bytes(path)
    child = max(event.result or 0 for event in run.calls("fork"))
    ended = {event.thread.tid: (event.ret, event.thread.comm) for event in run.calls("procexit")}
    assert ended == {run.pid: (3, b"old"), child: (3, b"old")}


def test_a_32_bit_call_of_a_64_bit_program_is_told_apart_from_its_others(observer: Observer) -> None:
    run = observer.python(
        """
import ctypes, mmap, os
room = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
room.write(b"\\x53\\xb8\\x14\\x00\\x00\\x00\\xcd\\x80\\x5b\\xc3")  # push rbx; getpid by int 0x80; pop rbx; ret
old = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(room)))
for _ in range(7):
    assert old() == os.getpid()
"""
    )
    assert len(run.calls("<unknown>")) == 7
    assert len(run.calls("getpid")) == 7
