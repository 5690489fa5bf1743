"""However watching ends, nothing stays attached, the terminal is as it was, and a recording holds all that came.

Few of the combinations are always tested: each program and each way to end at least once.
"""

from __future__ import annotations

import gzip
import itertools
import os
import signal
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.sources.native.files import opened
from tests.engine.sources.native.second_reader import Capture
from tests.live.terminal import NEEDS_THE_KERNEL, PATIENCE, Terminal, assert_gone, is_loaded, programs_of
from tui.exit_codes import Exit

pytestmark = NEEDS_THE_KERNEL

SCREENS = {"screen": ("-d", "300"), "screen of a command": ("-d", "300", "--", "sleep", "1000")}
OTHERS = {
    "record": ("record", "-w", "x.scap"),
    "record deflated": ("record", "-w", "x.scap", "-z"),
    "record native": ("record", "-w", "x.syscope"),
    "record native, deflated": ("record", "-w", "x.syscope", "-z"),
    "record native, filtered": ("record", "-w", "x.syscope", "proc.name!=nobody"),
    "record of a command": ("record", "-w", "x.scap", "--", "sh", "-c", "trap '' TERM; sleep 1000"),
    "dig": ("dig", "proc.name=nobody"),
    "dig written": ("dig", "-w", "x.scap"),
    "view": ("view", "procs", "--every", "500ms"),
}
KEYS = {"q": b"q", "Ctrl-C": b"\x03", "F10": b"\x1b[21~"}
SIGNALS = ("SIGTERM", "SIGINT", "SIGHUP", "hang-up", "SIGKILL")
CRASHES = {
    "a crash of ingest": "from engine.live_ingest import LiveIngest as Where; name = '_measure'",
    "a crash of query": "import engine.session as Where; name = 'answer'",
    "a crash of the screen": "from tui.screens.rows import Rows as Where; name = 'take'",
    "a crash of recording": "from engine.recording.following import _Native as Where; name = 'follow'",
}
CRASH_OF = {
    "record": "from engine.pushdown import Pushdown as Where; name = 'update'",
    "dig": "from tui.digging import Wanted as Where; name = 'mask'",
    "view": "from engine.query.table import TableRun as Where; name = 'update'",
}


def combinations() -> Iterator[object]:
    ends = {
        **dict.fromkeys(SCREENS, (*KEYS, *SIGNALS, *CRASHES)),
        **dict.fromkeys(OTHERS, ("Ctrl-C", *SIGNALS, "a crash")),
    }
    often = {
        *(("screen", end) for end in ends["screen"]),
        ("screen of a command", "Ctrl-C"),
        ("screen of a command", "hang-up"),
        *itertools.product(("record", "record native"), ("Ctrl-C", "hang-up", "a crash")),
        ("record deflated", "SIGTERM"),
        ("record native, deflated", "SIGHUP"),
        ("record native, filtered", "a crash"),
        ("record of a command", "SIGTERM"),
        ("dig", "hang-up"),
        ("dig", "a crash"),
        ("dig written", "SIGHUP"),
        ("view", "SIGTERM"),
    }
    for program, of_it in ends.items():
        for end in of_it:
            marks = () if (program, end) in often else (pytest.mark.long,)
            yield pytest.param(program, end, marks=marks, id=f"{program}-{end}")


def crashing(where: str, now: Path, words: tuple[str, ...]) -> str:
    """A program that crashes at a place once a file is there, and it was there twice more: what waited in the kernel
    has come by then."""
    return f"""
import os, sys
{where}
whole, times = getattr(Where, name), []
def crash(*args, **more):
    times.extend([1] * os.path.exists({str(now)!r}))
    if len(times) > 2: raise RuntimeError('a bug of ours')
    return whole(*args, **more)
setattr(Where, name, crash)
from tui.cli import main
sys.exit(main({list(words)!r}))
"""


def recording(folder: Path) -> Path | None:
    """The file that is recorded to, if any."""
    return next((path for path in folder.iterdir() if path.suffix in (".scap", ".syscope")), None)


def assert_whole(path: Path, seen: bytes, *, finished: bool) -> None:
    """A recording opens; a finished one has what happened last, and ends as files of its kind do."""
    store = opened(path)
    if not finished:
        return
    assert store.damage == []
    if path.suffix == ".syscope":
        assert path.read_bytes()[-24:-16] == b"SYSCEND\0"
        raw = Capture(path).raw
    else:
        raw = path.read_bytes()
        raw = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    assert seen in raw


@pytest.mark.parametrize(("program", "end"), combinations())
def test_however_it_ends_nothing_is_left_behind(
    terminals: list[Terminal], tmp_path: Path, program: str, end: str
) -> None:
    words = {**SCREENS, **OTHERS}[program]
    now, on_screen = tmp_path / "now", program in SCREENS
    script = ""
    if "crash" in end:
        where = CRASHES[end] if on_screen else CRASH_OF["record" if "-w" in words else words[0]]
        script = crashing(where, now, words)
    terminal = Terminal(*(() if script else words), script=script, folder=tmp_path)
    terminals.append(terminal)
    before = termios.tcgetattr(terminal.end)
    if on_screen:
        terminal.until("every 300ms", then=b"R")
        terminal.until("REC")
    deadline = time.monotonic() + PATIENCE
    writes = on_screen or "-w" in words
    while not (programs := programs_of(terminal.pid)) or (writes and not recording(tmp_path)):
        assert time.monotonic() < deadline, terminal.written
        time.sleep(0.02)
    # Attached is not yet recording: that begins with a picture of the machine.
    time.sleep(0.3)
    assert all(map(is_loaded, programs))

    seen = f"/seen-at-the-end-{os.getpid()}".encode()
    if "of a command" not in program:
        assert not os.path.exists(seen)
    else:
        seen = b"sleep"
    if script:
        now.touch()
        terminal.until("a bug of ours")
    if end in KEYS:
        os.write(terminal.end, KEYS[end])
    elif end == "hang-up":
        terminal.hang_up()
    elif end.startswith("SIG"):
        os.kill(terminal.pid, signal.Signals[end])
    elif on_screen and end != "a crash of the screen":
        os.write(terminal.end, b"q")
    status = terminal.ended()

    assert_gone(programs)
    if end == "SIGKILL":
        assert status == -signal.SIGKILL
    elif on_screen and end in KEYS:
        assert status == Exit.OK
    elif on_screen and end.startswith("SIG"):
        assert status == 128 + signal.Signals[end]
    if end not in ("hang-up", "SIGKILL"):
        terminal.assert_as_it_was(before)
    if writes:
        path = recording(tmp_path)
        assert path is not None
        # A recording that crashed has what was written until then.
        assert_whole(path, seen, finished=end not in ("SIGKILL", "a crash of recording"))


@pytest.mark.parametrize("words", [(), ("record", "-w", "x.scap"), ("dig",), ("view", "procs")], ids=str)
def test_a_compiler_that_crashes_leaves_nothing_but_its_message(
    terminals: list[Terminal], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    killed = tmp_path / "killed.py"
    killed.write_text("import os; print('last words', flush=True); os.kill(os.getpid(), 9)")
    script = f"""
import sys
from engine.sources import bcc_compiler
bcc_compiler.__file__ = {str(killed)!r}
from tui.cli import main
sys.exit(main({list(words)!r}))
"""
    terminal = Terminal(script=script, folder=tmp_path)
    terminals.append(terminal)
    before = termios.tcgetattr(terminal.end)
    terminal.until("the compiler ", then=b"" if words else b"q")
    assert terminal.ended() == (Exit.FAILED if words else Exit.OK)
    terminal.assert_as_it_was(before)
    assert b"Traceback" not in terminal.written
    assert recording(tmp_path) is None


def test_ctrl_c_is_heeded_while_it_starts(terminals: list[Terminal]) -> None:
    """Also in the middle of an import, where an exception would be lost."""
    script = """
import sys, time, weakref
class Slow:
    def find_spec(self, name, *_):
        if name == "tui.app":
            print("importing", flush=True)
            class Thing: pass
            thing = Thing()
            reference = weakref.ref(thing, lambda _: time.sleep(60))
            del thing
sys.meta_path.insert(0, Slow())
from tui.cli import main
sys.exit(main([]))
"""
    terminal = Terminal(script=script)
    terminals.append(terminal)
    terminal.until("importing", then=b"\x03")
    assert terminal.ended() == -signal.SIGINT
    assert b"\x1b[?1049h" not in terminal.written


def test_a_crash_of_loading_is_told_on_the_screen(terminals: list[Terminal], tmp_path: Path) -> None:
    now = tmp_path / "now"
    now.touch()
    script = crashing("import engine.sources.live.loader as Where; name = '_load'", now, ("-d", "300"))
    terminal = Terminal(script=script.replace("len(times) > 2", "times"), folder=tmp_path)
    terminals.append(terminal)
    before = termios.tcgetattr(terminal.end)
    terminal.until("a bug of ours", then=b"q")
    assert terminal.ended() == Exit.OK
    assert b"Traceback" not in terminal.written
    terminal.assert_as_it_was(before)
