"""A capture that comes through a pipe, in a real terminal: shown like a file's, and left at once however long its
writer takes."""

from __future__ import annotations

import gzip
import os
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.terminal import Terminal
from tui.exit_codes import Exit

AT_ONCE = 5.0
"""Seconds; the writer would take for ever."""


@pytest.fixture
def stalling(tmp_path: Path, captures: Path, request: pytest.FixtureRequest) -> Iterator[tuple[Path, int]]:
    """A pipe, and the writing end of it, to which half a capture was written."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = os.open(pipe, os.O_RDWR)
    capture = (captures / "tiny.scap").read_bytes()
    os.write(writer, (gzip.compress(capture) if request.param else capture)[: 50 << 10])
    yield pipe, writer
    os.close(writer)


@pytest.mark.parametrize("stalling", [False, True], ids=["plain", "deflated"], indirect=True)
@pytest.mark.parametrize("key", [b"q", b"\x03"], ids=["q", "Ctrl-C"])
def test_a_pipe_whose_writer_stalls_is_left_at_once(stalling: tuple[Path, int], key: bytes) -> None:
    terminal = Terminal("-r", str(stalling[0]))
    try:
        before = termios.tcgetattr(terminal.end)
        terminal.until("F1")
        time.sleep(0.5)
        os.write(terminal.end, key)
        started = time.monotonic()
        assert terminal.ended() == 0
        assert time.monotonic() - started < AT_ONCE
        terminal.assert_as_it_was(before)
    finally:
        terminal.close()


def test_a_capture_from_standard_input_is_explored_with_keys_from_the_terminal(captures: Path) -> None:
    command = f"cat {captures / 'tiny.scap.gz'} | {sys.executable} -m tui.cli -r -"
    terminal = Terminal(before=("/bin/sh", "-c", command))
    try:
        before = termios.tcgetattr(terminal.end)
        terminal.until("8,449 events", b"o")
        assert b"standard input" in terminal.written
        terminal.until("Overview", b"q")
        assert terminal.ended() == 0
        terminal.assert_as_it_was(before)
    finally:
        terminal.close()


def test_a_terminal_for_standard_input_is_no_capture() -> None:
    terminal = Terminal("-r", "-")
    try:
        assert terminal.ended() == Exit.USAGE
        assert b"tui -r - < FILE" in terminal.written
    finally:
        terminal.close()
