"""Play the stories in a real terminal, ours and csysdig beside it, and write the table of docs/stories.md.

    python -m tests.demo.stories_page CAPTURES [NUMBER ...]

plays all (or some: then the table is only printed). Both programs are timed alike, from their start in a shell to the
text on the screen; each key takes as long as telling tmux.
"""

from __future__ import annotations

import atexit
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tests.demo.recorded import record
from tests.demo.stories import BREACH, STORIES, Sitting, Story
from tests.demo.terminal import Terminal
from tests.engine.oracle_count import DOWNGRADE

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "stories.md"
MARK = "<!-- what follows is written by python -m tests.demo.stories_page -->"
TITLES = """\
| story | question | keys | seconds (start) | csysdig: keys | seconds (start) | its answer lacks | played on |
| --- | --- | --- | --- | --- | --- | --- | --- |
"""
PACE = 0.1
"""Seconds a key takes in both: ten a second. Csysdig loses keys that come much faster."""
OURS, THEIRS = r"\d+/\d+ \(", "Viewing: "
"""What says that the first table is there."""


class Played(NamedTuple):
    """How a story went."""

    keys: int
    seconds: float
    start: float
    """Of the seconds those until the first table was there."""


def explore(capture: Path, folder: Path) -> Terminal:
    """The explorer on a capture."""
    return Terminal([sys.executable, "-m", "tui.cli", "-r", str(capture)], folder, pace=PACE)


def csysdig(capture: Path, folder: Path) -> Terminal:
    """Csysdig on a copy of a capture that it can read; the recording is one as it is."""
    copy = folder / "copy.scap"
    tool = capture.parent / DOWNGRADE
    if tool.exists():
        subprocess.run([tool, capture, copy], check=True, stderr=subprocess.DEVNULL)
    else:
        shutil.copy(capture, copy)
    return Terminal(["csysdig", "-r", copy.name], folder, pace=PACE)


def play(terminal: Terminal, folder: Path, sitting: Sitting, first: str) -> Played:
    """Play one run. Raises TimeoutError when a step does not lead where it should."""
    for file in sitting.files:
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.text)
        terminal.keys += len(file.text)
    began = time.monotonic()
    with terminal:
        terminal.wait(first)
        start = time.monotonic() - began
        for keys, text in sitting.steps:
            terminal.press(keys)
            terminal.wait(text)
    return Played(terminal.keys, time.monotonic() - began, start)


def ours(story: Story, captures: Path) -> Played:
    """Play a story in our explorer."""
    return _played(explore, story.ours, story, captures, OURS)


def theirs(story: Story, captures: Path) -> Played:
    """Play a story in csysdig, as far as it comes."""
    return _played(csysdig, story.theirs, story, captures, THEIRS)


def _played(
    start: Callable[[Path, Path], Terminal], sittings: Sequence[Sitting], story: Story, captures: Path, first: str
) -> Played:
    """All sittings of a story added up."""
    played = []
    for name, sitting in zip(story.captures, sittings, strict=True):
        with tempfile.TemporaryDirectory() as folder:
            terminal = start(capture_of(name, captures), Path(folder))
            played.append(play(terminal, Path(folder), sitting, first))
    return Played(*map(sum, zip(*played, strict=True)))


@cache
def _recorded() -> Path:
    """The recording, made once."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    record(folder / "breach.scap")
    return folder / "breach.scap"


def capture_of(name: str, captures: Path) -> Path:
    """Where a capture is; the recording is made when it is asked for first."""
    return _recorded() if name == BREACH else captures / name


def line(story: Story, captures: Path) -> str:
    """A story's line of the table, played in both programs now."""
    us, them = ours(story, captures), theirs(story, captures)
    on = ", ".join("a recording" if name == BREACH else name for name in story.captures)
    told = f"{them.keys} | {them.seconds:.1f} ({them.start:.1f}) | {story.short}"
    return f"| {story.number} | {story.question} | {us.keys} | {us.seconds:.1f} ({us.start:.1f}) | {told} | {on} |"


def main() -> None:
    """Command line, see the module's text."""
    captures = Path(sys.argv[1]).resolve()
    chosen = [story for story in STORIES if not sys.argv[2:] or str(story.number) in sys.argv[2:]]
    lines = []
    for story in chosen:
        lines.append(line(story, captures))
        sys.stdout.write(lines[-1] + "\n")
        sys.stdout.flush()
    if chosen == list(STORIES):
        head, _, _ = PAGE.read_text("utf-8").partition(MARK)
        PAGE.write_text(f"{head}{MARK}\n\n{TITLES}" + "".join(f"{line}\n" for line in lines), "utf-8")


if __name__ == "__main__":
    main()
