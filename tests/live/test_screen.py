"""The screen on the running machine, in a terminal: what it shows, and whom it follows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from engine.sources.live.loader import CAPABILITIES
from tests.live.terminal import NEEDS_THE_KERNEL, PATIENCE, Terminal
from tui.exit_codes import Exit

pytestmark = NEEDS_THE_KERNEL
LATENCIES = 160 - 13
"""Cells of a spectrogram's 11 decades from 1 ns on, which begin behind the times."""


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


@contextmanager
def latencies_of(working: str, terminals: list[Terminal]) -> Iterator[Terminal]:
    """The picture of how long the calls of a program took, while it works."""
    with subprocess.Popen([sys.executable, "-I", "-S", "-c", working]) as worker:
        try:
            terminal = Terminal("-d", "300", f"proc.pid={worker.pid}")
            terminals.append(terminal)
            terminal.until(f"only pid {worker.pid}", then=b"x")
            terminal.until("calls of")
            yield terminal
        finally:
            worker.kill()


def test_a_rectangle_of_latencies_leads_to_its_calls(terminals: list[Terminal]) -> None:
    """The picture holds still while the rectangle is drawn, though what happens goes on."""
    with latencies_of("import time\nwhile True: time.sleep(0.03)", terminals) as terminal:
        os.write(terminal.end, b" \x1b[A\x1b[D\x1b[D\x1b[C\x1b[C\x1b[C")
        time.sleep(1)
        os.write(terminal.end, b"\r")
        terminal.until("behind now")
        terminal.until("clock_nanosleep", then=b"q")
        assert terminal.ended() == Exit.OK


def test_the_mouse_draws_a_rectangle_of_latencies_and_leads_to_its_calls_and_to_a_view_of_them(
    terminals: list[Terminal],
) -> None:
    """Of a process that looks at a file, which is quick, and sleeps 30 ms, it is around the sleeps."""
    working = "import os, time\nwhile True: os.stat('/etc/hosts'); time.sleep(0.03)"
    with latencies_of(working, terminals) as terminal:
        # From the first row, a little under 10 ms, to far below the last row, a little over 100 ms.
        corner, opposite = (8, 14 + LATENCIES * 68 // 110), (36, 14 + LATENCIES * 82 // 110)
        terminal.written = b""
        os.write(terminal.end, mouse(0, *corner) + mouse(32, 20, 110) + mouse(32, *opposite))
        terminal.until(" calls of ")
        os.write(terminal.end, mouse(0, *opposite, up=True))
        terminal.until("behind now")
        terminal.until("clock_nanosleep")
        lines = re.findall(rb"([\d.]+)ms +\d+ \d\d:\d\d:\d\d\.\d{9} .*?< (\w+)", terminal.written)
        assert lines and {call for _, call in lines} == {b"clock_nanosleep"}
        assert all(30 <= float(took) < 120 for took, _ in lines)
        terminal.written = b""
        os.write(terminal.end, b"\x7f")
        terminal.until("|10ms", then=b"\x1bOQ")
        terminal.until("by name", then=b"System calls")
        terminal.written = b""
        os.write(terminal.end, b"\r")
        terminal.until("clock_nanosleep", then=b"q")
        assert terminal.ended() == Exit.OK
        assert b"stat" not in terminal.written


def test_a_list_follows_what_comes(terminals: list[Terminal]) -> None:
    """Far more commands than the screen has lines: only who is at the end sees the later ones."""
    running = """import os, itertools
for n in itertools.count(): os.spawnlp(os.P_WAIT, 'true', 'true', f'number-{n}-')
"""
    with subprocess.Popen([sys.executable, "-I", "-S", "-c", running]) as starter:
        try:
            terminal = Terminal("-d", "300", "-v", "spy_users", f"proc.ppid={starter.pid}")
            terminals.append(terminal)
            numbers: list[int] = []
            deadline = time.monotonic() + PATIENCE
            while not numbers or max(numbers) < min(numbers) + 500:
                assert time.monotonic() < deadline, f"nothing later than {numbers[-1:]} was seen"
                terminal.until("number-")
                numbers += map(int, re.findall(rb"true number-(\d+)-", terminal.written))
                terminal.written = b""
            os.write(terminal.end, b"q")
            assert terminal.ended() == Exit.OK
        finally:
            starter.kill()


def mouse(button: int, line: int, column: int, *, up: bool = False) -> bytes:
    """What a terminal sends of a mouse; lines and columns from 1."""
    return b"\x1b[<%d;%d;%d%c" % (button, column, line, b"m" if up else b"M")
