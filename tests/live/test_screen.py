"""The screen on the running machine, in a terminal: what it shows, and that nothing is left behind however it ends."""

from __future__ import annotations

import ctypes
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from engine.sources.live.loader import CAPABILITIES, capabilities
from tui.exit_codes import Exit

ROOT = Path(__file__).parents[2]
PATIENCE = 40.0
pytestmark = pytest.mark.skipif(
    any(not capabilities() >> number & 1 for number in CAPABILITIES), reason="the kernel may not be watched here"
)
_BPF, _PROG_GET_NEXT_ID = 321, 11
RAW, ALTERNATE = b"\x1b[?1049h", b"\x1b[?1049l"


def programs_of(pid: int) -> set[int]:
    """Ids of the programs a process keeps attached."""
    found = set()
    for path in Path(f"/proc/{pid}/fdinfo").iterdir():
        with suppress(FileNotFoundError):  # closed by now
            if match := re.search(r"^prog_id:\s*(\d+)", path.read_text(), re.M):
                found.add(int(match[1]))
    return found


def is_loaded(program: int) -> bool:
    """Whether the kernel still has a program."""
    told = ctypes.create_string_buffer(struct.pack("<IIII", program - 1, 0, 0, 0))
    if ctypes.CDLL(None, use_errno=True).syscall(_BPF, _PROG_GET_NEXT_ID, told, 16) < 0:
        return False
    return bool(struct.unpack_from("<I", told, 4)[0] == program)


def assert_gone(programs: set[int]) -> None:
    """The kernel frees programs a moment after nobody has them any more."""
    deadline = time.monotonic() + PATIENCE
    while any(map(is_loaded, programs)):
        assert time.monotonic() < deadline, "programs are still loaded"
        time.sleep(0.05)


class Terminal:
    """The program in a pseudo-terminal."""

    def __init__(self, *words: str, script: str = "", before: tuple[str, ...] = ()) -> None:
        self.pid, self.end = pty.fork()
        if not self.pid:
            os.environ.update(PYTHONPATH=str(ROOT), TERM="xterm-256color", COLUMNS="160", LINES="40")
            start = ["-c", script] if script else ["-m", "tui.cli"]
            command = [*before, sys.executable, *start, *words]
            os.execvp(command[0], command)
        self.written = b""
        self.status: int | None = None

    def until(self, text: str, then: bytes = b"") -> None:
        """Wait until a text was painted, then type."""
        deadline = time.monotonic() + PATIENCE
        while text.encode() not in self.written:
            assert time.monotonic() < deadline, f"no {text!r} in {self.written[-2000:]!r}"
            self._read(0.1)
        if then:
            os.write(self.end, then)

    def _read(self, seconds: float) -> bool:
        if not select.select([self.end], [], [], seconds)[0]:
            return True
        try:
            piece = os.read(self.end, 1 << 16)
        except OSError:  # how Linux says that the other end is closed
            return False
        self.written += piece
        return bool(piece)

    def ended(self) -> int:
        """Wait for the end; the exit status, negative for a signal."""
        deadline = time.monotonic() + PATIENCE
        while self.status is None:
            assert time.monotonic() < deadline, f"it does not end: {self.written[-500:]!r}"
            if self.end >= 0:
                self._read(0.05)
            else:
                time.sleep(0.05)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
                while self.end >= 0 and self._read(0.05) and select.select([self.end], [], [], 0)[0]:
                    pass
        return self.status

    def hang_up(self) -> None:
        """The terminal is closed."""
        os.close(self.end)
        self.end = -1

    def close(self) -> None:
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        if self.end >= 0:
            os.close(self.end)


@pytest.fixture
def terminals() -> Iterator[list[Terminal]]:
    made: list[Terminal] = []
    yield made
    for terminal in made:
        terminal.close()


def test_a_running_process_is_found_with_what_it_does(terminals: list[Terminal]) -> None:
    with subprocess.Popen(["dd", "if=/dev/zero", "of=/dev/null", "bs=7"], stderr=subprocess.DEVNULL) as busy:
        try:
            terminal = Terminal("-d", "500", f"proc.pid={busy.pid}")
            terminals.append(terminal)
            terminal.until("dd if=/dev/zero of=/dev/null bs=7")
            terminal.until(f"only pid {busy.pid}", then=b"q")
            assert terminal.ended() == Exit.OK
        finally:
            busy.kill()


ENDS = {"q": b"q", "Ctrl-C": b"\x03", "F10": b"\x1b[21~"}


@pytest.mark.parametrize("how", [*ENDS, "SIGTERM", "SIGINT", "SIGHUP", "hang-up", "SIGKILL"])
def test_however_it_ends_nothing_stays_attached_and_the_terminal_is_as_it_was(
    terminals: list[Terminal], how: str
) -> None:
    terminal = Terminal("-d", "300")
    terminals.append(terminal)
    before = termios.tcgetattr(terminal.end)
    terminal.until("every 300ms")
    programs = programs_of(terminal.pid)
    assert programs and all(map(is_loaded, programs))
    if how in ENDS:
        os.write(terminal.end, ENDS[how])
    elif how == "hang-up":
        terminal.hang_up()
    else:
        os.kill(terminal.pid, signal.Signals[how])
    status = terminal.ended()

    assert_gone(programs)
    if how in ENDS:
        assert status == Exit.OK
    elif how == "SIGKILL":
        assert status == -signal.SIGKILL
    elif how != "hang-up":
        assert status == 128 + signal.Signals[how]
    if how not in ("hang-up", "SIGKILL"):
        assert terminal.written.rfind(ALTERNATE) > terminal.written.rfind(RAW)
        assert termios.tcgetattr(terminal.end)[3] == before[3]


CRASHES = {
    "ingest": "from engine.live_ingest import LiveIngest as Where; name = '_measure'",
    "query": "import engine.session as Where; name = 'answer'",
    "screen": "from tui.screens.rows import Rows as Where; name = 'take'",
    "load": "import engine.sources.live.loader as Where; name = '_load'",
}


@pytest.mark.parametrize("thread", CRASHES)
def test_a_crash_in_any_thread_leaves_nothing_behind(terminals: list[Terminal], thread: str, tmp_path: Path) -> None:
    now = tmp_path / "now"
    script = f"""
import os, sys
{CRASHES[thread]}
whole = getattr(Where, name)
def crash(*args, **more):
    if os.path.exists({str(now)!r}): raise RuntimeError('a bug of ours')
    return whole(*args, **more)
setattr(Where, name, crash)
from tui.cli import main
sys.exit(main(['-d', '300']))
"""
    if thread == "load":
        now.touch()
    terminal = Terminal(script=script)
    terminals.append(terminal)
    before = termios.tcgetattr(terminal.end)
    programs: set[int] = set()
    if thread != "load":
        terminal.until("every 300ms")
        programs = programs_of(terminal.pid)
        assert programs
        now.touch()
    terminal.until("a bug of ours")
    if thread != "screen":
        os.write(terminal.end, b"q")
    terminal.ended()
    assert_gone(programs)
    assert terminal.written.rfind(ALTERNATE) > terminal.written.rfind(RAW)
    assert termios.tcgetattr(terminal.end)[3] == before[3]


def test_two_capabilities_are_enough(terminals: list[Terminal]) -> None:
    if os.geteuid():
        pytest.skip("only root can hand on some of its capabilities")
    kept = ("setpriv", "--bounding-set=-all,+bpf,+perfmon", "--inh-caps=-all,+bpf,+perfmon", "--no-new-privs")
    terminal = Terminal("-d", "300", before=kept)
    terminals.append(terminal)
    terminal.until("every 300ms")
    held = re.search(r"^CapEff:\s*(\w+)", Path(f"/proc/{terminal.pid}/status").read_text(), re.M)
    assert held and int(held[1], 16) == sum(1 << number for number in CAPABILITIES)
    os.write(terminal.end, b"q")
    assert terminal.ended() == Exit.OK


def test_a_command_is_followed_from_its_first_call_and_ends_the_capture(terminals: list[Terminal]) -> None:
    script = "import os, time; time.sleep(1); os.spawnlp(os.P_WAIT, 'true', 'true', 'child-of-it'); print('said')"
    terminal = Terminal("-d", "300", "--", sys.executable, "-I", "-S", "-c", script)
    terminals.append(terminal)
    terminal.until("ENDED")
    terminal.until("true child-of-it", then=b"q")
    assert terminal.ended() == Exit.OK
    assert terminal.written.rstrip().endswith(b"said"), "what it printed comes when the screen is gone"


def test_a_command_that_is_not_there_is_told(terminals: list[Terminal]) -> None:
    terminal = Terminal("--", "no-such-command-anywhere")
    terminals.append(terminal)
    assert terminal.ended() == Exit.USAGE
    assert b"no command no-such-command-anywhere" in terminal.written
