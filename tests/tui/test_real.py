"""The whole program, engine included: the bundled capture by keys, and one whose every name attacks the screen."""

from __future__ import annotations

import asyncio
import tempfile
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual.pilot import Pilot
from textual.strip import Strip

import views
from engine.events import FdKind
from engine.ingest import CaptureIngest
from engine.model.facts import Thread, User
from engine.session import Session
from tests import scapfile as scap
from tests.demo.__main__ import OUT
from tests.tui.conftest import until
from tui.app import Syscope
from tui.options import Options
from tui.place import Place
from tui.screens.explorer import Explorer
from tui.widgets.choices import Choices

WIDE = (140, 40)
HOSTILE = (
    "\x1b[2J\x1b]52;c;ZXZpbA==\x07\x9b31m\x85\x90q\x9c \u202eevil\u2066\u200b [/x][red]$(id) \u65e5\u672c \t\r\nroot"
)
"""ESC, OSC 52, C1 controls, bidi controls, an invisible, markup, wide characters, line ends."""
OPEN, CONTAINER, EXECVE, WRITE_ENTER, WRITE, ACCEPT_ENTER, ACCEPT = 3, 228, 231, 8, 9, 388, 389
CONTAINER_ID = "ab" * 32


class Real:
    """The app on a capture file."""

    def __init__(self, path: Path, view: str = "procs", *, containers: bool = False) -> None:
        """Open it."""
        self.path = path
        options = Options(path, view=view, containers=containers)
        self.library = views.load().views
        self.app = Syscope(options, self.library, lambda publish: Session(CaptureIngest(path), publish))

    @property
    def screen(self) -> Explorer:
        """The main screen."""
        screen = self.app.screen
        assert isinstance(screen, Explorer)
        return screen

    @property
    def raw(self) -> str:
        """All the text of the painted screen, nothing stripped."""
        return "\n".join(strip.text for strip in self.strips)

    @property
    def strips(self) -> list[Strip]:
        """What is painted."""
        return self.screen._compositor.render_strips(self.screen.size)

    @property
    def lines(self) -> list[str]:
        """Its lines."""
        return [line.rstrip() for line in self.raw.split("\n")]

    @property
    def row(self) -> str:
        """The line under the cursor."""
        return next(line[1:] for line in self.lines if line.startswith("▌"))

    async def settle(self, pilot: Pilot[None]) -> None:
        """Wait until everything is read, asked and painted."""
        screen = self.screen
        await until(
            pilot, lambda: screen.status.progress == 1 and screen.rows.pending is None and not screen.rows.stale
        )
        await until(pilot, lambda: getattr(screen.place.snapshot, "complete", screen.place.snapshot is not None))
        await pilot.pause()

    async def press(self, pilot: Pilot[None], *keys: str) -> None:
        """Press keys one by one, each answered before the next."""
        for key in keys:
            await pilot.press(key)
            await self.settle(pilot)


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A capture with the same attack in every name a watched process or its container can choose."""
    return capture_of(HOSTILE.encode(), tmp_path / "hostile\x1b[31m\u202e.scap")


def capture_of(name: bytes, path: Path) -> Path:
    """A capture in which every name is these bytes."""
    text = name.decode("utf-8", "replace").replace("\0", "?")
    name = name.replace(b"\0", b"?")
    cgroups = (f"cpuset=/docker/{CONTAINER_ID}".encode(),)
    made = Thread(
        tid=10, pid=10, ptid=1, comm=name, exe=name, args=(name, name), cwd=b"/" + name + b"/", uid=1000,
        cgroups=cgroups,
    )  # fmt: skip
    parts = [
        scap.section(),
        scap.machine(cpus=1, hostname=name),
        scap.process_list(9, [made]),
        scap.fd_list(10, [scap.Entry(4, FdKind.FILE, b"/" + name)]),
        scap.users([User(1000, 1000, name, b"/" + name, name)]),
        scap.event(CONTAINER, -1, 1, scap.pack(CONTAINER, id=CONTAINER_ID[:12], type=0, name=text, image=text)),
    ]
    for time in range(10, 60, 5):
        parts += [
            scap.event(OPEN, 10, time, scap.pack(OPEN, fd=3, name=b"/" + name, flags=1)),
            scap.event(WRITE_ENTER, 10, time + 1, scap.pack(WRITE_ENTER, fd=4, size=len(name))),
            scap.event(WRITE, 10, time + 2, scap.pack(WRITE, res=len(name), data=name)),
            scap.event(OPEN, 10, time + 3, scap.pack(OPEN, fd=-2, name=b"/" + name, flags=1)),
        ]
        peers = scap.socktuple("192.0.2.1", 40_000 + time, "192.0.2.2", 80)
        parts += [
            scap.event(ACCEPT_ENTER, 10, time + 4, scap.pack(ACCEPT_ENTER, flags=0)),
            scap.event(ACCEPT, 10, time + 4, scap.pack(ACCEPT, fd=5 + time, tuple=b"\x02" + peers[1:], flags=0)),
            scap.event(WRITE_ENTER, 10, time + 4, scap.pack(WRITE_ENTER, fd=5 + time, size=len(name))),
            scap.event(WRITE, 10, time + 4, scap.pack(WRITE, res=len(name), data=name)),
        ]
    run = scap.pack(
        EXECVE, res=0, exe=name, args=[text], tid=10, pid=10, ptid=1, cwd=b"/" + name, comm=name,
        cgroups=[cgroups[0].decode()], env=[text],
    )  # fmt: skip
    parts.append(scap.event(EXECVE, 10, 70, run))
    path.write_bytes(b"".join(parts))
    return path


def dangerous(text: str) -> set[str]:
    """Characters that a terminal obeys or that turn text around, lines' ends aside."""
    return {each for each in text if each != "\n" and unicodedata.category(each) in ("Cc", "Cf", "Cs", "Co", "Cn")}


def assert_harmless(real: Real) -> None:
    """Nothing a terminal obeys is painted or exported."""
    assert not dangerous(real.raw)
    assert not dangerous(real.app.export_screenshot())


OTHER_SCREENS = (
    ["end"], ["y"], ["f2"], ["escape", "f7"], ["escape", "f9"], ["escape", "C"], ["escape", "f4"], ["escape"],
    ["o"], ["backspace", "x"],
    ["space", "home", "left"], ["enter"], ["backspace", "f2"], ["enter"], ["backspace", "backspace", "e"],
    ["f2", "end", "enter"], ["enter"], ["end"], ["m"], ["escape"],
    ["backspace", "F"], ["backspace", "backspace", "d"], ["right"], ["enter"], ["backspace", "backspace", "m"],
    ["enter"], ["escape", "t"], ["t", "right_square_bracket"], ["A", "D"], ["backspace", "w", "E"], ["escape", "M"],
    ["escape", "i"], ["B"], ["escape", "f8"], ["escape"],
)  # fmt: skip
"""Keys that lead through every screen."""


@pytest.mark.parametrize("containers", [False, True], ids=["", "containers"])
async def test_no_captured_byte_of_any_view_reaches_the_terminal_as_a_command(hostile: Path, containers: bool) -> None:
    real = Real(hostile, containers=containers)
    async with real.app.run_test(size=WIDE) as pilot:
        await real.settle(pilot)
        for view in real.library.values():
            real.screen.go(Place(view, containers=containers))
            await real.settle(pilot)
            assert not dangerous(real.raw), view.id
            del real.screen.places[1:]


async def test_no_captured_byte_reaches_the_terminal_as_a_command(
    hostile: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    real = Real(hostile)
    async with real.app.run_test(size=WIDE, notifications=True) as pilot:
        await real.settle(pilot)
        for keys in OTHER_SCREENS:
            await real.press(pilot, *keys)
            await pilot.pause(0.05)
            assert_harmless(real)
            assert dangerous(real.app.clipboard) <= {"\t"}
            assert not dangerous(real.app.title + real.app.sub_title)
        await pilot.press("f4", *"fd.name=")
        await until(pilot, lambda: real.screen.query_one(Choices).first is not None)
        assert_harmless(real)
        await pilot.press("tab")
        await until(pilot, lambda: "✓ keeps" in real.raw)
        assert_harmless(real)
        await real.press(pilot, "enter")
        assert real.screen.place.filter.startswith("fd.name=")
        assert_harmless(real)
        # Notes may be pasted.
        real.screen.bookmarks.add(HOSTILE)
        await pilot.pause(0.05)
        assert_harmless(real)
        await real.press(pilot, "apostrophe")
        assert "Bookmarks" in real.raw
        assert_harmless(real)
        await real.press(pilot, "enter")
        assert_harmless(real)


@pytest.mark.parametrize("view", ["procs", "files", "file_opens", "dig"])
async def test_what_is_taken_along_has_no_captured_control_byte(
    hostile: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, view: str
) -> None:
    folder = tmp_path / "taken"
    folder.mkdir()
    monkeypatch.chdir(folder)
    real = Real(hostile, "procs" if view == "dig" else view)
    async with real.app.run_test(size=WIDE) as pilot:
        await real.settle(pilot)
        if view == "dig":
            await real.press(pilot, "d")
        await real.press(pilot, "y")
        assert real.app.clipboard
        assert dangerous(real.app.clipboard) <= {"\t"}
        ways = 1 if view == "dig" else 3
        for down in range(ways + 1):
            await pilot.press("E", *["down"] * down, "enter")
            await until(pilot, lambda: real.screen.cells._exporting is None)
        assert dangerous(real.app.clipboard) <= {"\t"}
        saved = list(folder.iterdir())
        assert len(saved) == ways
        for path in saved:
            assert dangerous(path.read_text("utf-8")) <= {"\t", "\r"}, path


@settings(max_examples=8, deadline=None, derandomize=True)
@given(st.binary(min_size=1, max_size=60))
def test_no_name_of_any_bytes_puts_a_command_into_a_strip(name: bytes) -> None:
    async def walk(path: Path) -> None:
        real = Real(path)
        async with real.app.run_test(size=(120, 30)) as pilot:
            await real.settle(pilot)
            for keys in (
                ["i"], ["m"], ["escape", "t"], ["t", "o"], ["backspace", "x"], ["backspace", "e"], ["enter"], ["F"],
                ["backspace", "backspace", "backspace", "d"], ["backspace", "f2"],
            ):  # fmt: skip
                await real.press(pilot, *keys)
                assert not dangerous(real.raw)

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(walk(capture_of(name, Path(folder) / "a.scap")))


async def test_a_drill_down_and_back_paints_exactly_the_earlier_screen() -> None:
    real = Real(OUT)
    async with real.app.run_test(size=(100, 20)) as pilot:
        await real.settle(pilot)
        await real.press(pilot, "1", "pagedown", "up", "right")
        before = real.lines
        await real.press(pilot, "enter", "down", "f6", "end")
        assert len(real.screen.places) == 3
        await real.press(pilot, "backspace", "backspace")
        assert real.lines == before


async def test_dig_on_a_command_shows_exactly_its_event() -> None:
    real = Real(OUT, "spy_users")
    async with real.app.run_test(size=WIDE) as pilot:
        await real.settle(pilot)
        await real.press(pilot, "down", "down")
        command = real.row.split()[-1]
        await real.press(pilot, "f6")
        assert real.screen.grid.page.total == 1
        assert " < exec" in real.row
        assert command in real.row


async def test_a_filter_says_what_it_keeps_and_leaves_only_that() -> None:
    real = Real(OUT)
    async with real.app.run_test(size=WIDE) as pilot:
        await real.settle(pilot)
        everything = real.screen.grid.page.total
        name = real.row.split()[-1]
        await pilot.press("f4", *"proc.name=sshd")
        await until(pilot, lambda: "✓ keeps" in real.raw)
        await real.press(pilot, "enter")
        await until(pilot, lambda: real.screen.place.filter == "proc.name=sshd")
        await real.settle(pilot)
        page = real.screen.grid.page
        assert 0 < page.total < everything, name
        assert all("sshd" in row.cells[-1] for row in page.rows)


async def test_a_sorted_column_is_in_order_both_ways() -> None:
    real = Real(OUT)
    async with real.app.run_test(size=WIDE) as pilot:
        await real.settle(pilot)
        column = next(index for index, each in enumerate(real.screen.grid.page.columns) if each.title == "PID")
        pids: Callable[[], list[int]] = lambda: [int(row.cells[column]) for row in real.screen.grid.page.rows]  # noqa: E731
        await real.press(pilot, str(column + 1))
        assert pids() == sorted(pids(), reverse=True)
        await real.press(pilot, str(column + 1))
        assert pids() == sorted(pids())


async def test_a_search_goes_from_row_to_row_with_the_text() -> None:
    real = Real(OUT)
    async with real.app.run_test(size=WIDE) as pilot:
        await real.settle(pilot)
        await pilot.press("slash", *"postgres")
        await real.press(pilot, "enter")
        assert "postgres" in real.row
        first = real.screen.grid.position.index
        await real.press(pilot, "n")
        assert "postgres" in real.row
        assert real.screen.grid.position.index != first


async def test_an_event_in_full_fits_a_small_screen(captures: Path) -> None:
    real = Real(captures / "502Error.scap")
    async with real.app.run_test(size=(80, 24)) as pilot:
        await real.settle(pilot)
        await real.press(pilot, "F", "enter")
        assert any(line.endswith("GET /bar HTTP/1.") and " 2e  GET" in line for line in real.lines), "hex and text"
        notes = [line.index(note) for line in real.lines for note in ("from enter to exit", "id 100") if note in line]
        assert len(set(notes)) == 1, "notes are in a column"
        await real.press(pilot, "slash", *"is_container_health", "enter")
        assert "proc.is_container_healthcheck  false" in real.row, "a name is whole"
