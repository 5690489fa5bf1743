"""Incidents played from start to end in a real terminal: the answers found are asserted, not that screens appeared."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path

import pytest

from tests.demo import recorded
from tests.demo.stories import BREACH, STORIES, Story
from tests.demo.stories_page import PACE, PAGE, Played, ours, theirs
from tests.demo.terminal import Terminal

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux")
LEAK = """import socket, sys, time
server = socket.create_server(("127.0.0.1", 0))
closed = socket.create_server(("127.0.0.1", 0))
gone = closed.getsockname()
closed.close()
while True:
    with open(sys.argv[1], "rb") as file:
        secret = file.read()
    socket.socket().connect_ex(gone)
    with socket.create_connection(server.getsockname()) as out:
        out.sendall(b"PUT /drop " + secret)
        with server.accept()[0] as taken:
            taken.recv(100)
            taken.sendall(b"thanks")
        out.recv(100)
    time.sleep(0.2)
"""


def needed(story: Story) -> None:
    if BREACH in story.captures and not recorded.possible():
        pytest.skip("needs to be allowed to watch the machine, runc and wget")


def told(story: Story, *, theirs: bool) -> int:
    """Keys of a story in the documentation's table."""
    cells = re.search(rf"^\| {story.number} \| {re.escape(story.question)} \|(.*)$", PAGE.read_text("utf-8"), re.M)
    assert cells is not None, "run python -m tests.demo.stories_page"
    return int(cells[1].split("|")[2 if theirs else 0])


@pytest.mark.long
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_story_is_answered_with_as_many_keys_as_is_told(story: Story, captures: Path) -> None:
    needed(story)
    assert ours(story, captures).keys == told(story, theirs=False)


@pytest.mark.long
@pytest.mark.skipif(shutil.which("csysdig") is None, reason="needs csysdig 0.29.3")
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_csysdig_comes_as_far_as_is_told(story: Story, captures: Path) -> None:
    needed(story)
    played: Played = theirs(story, captures)
    assert played.keys == told(story, theirs=True)


def test_an_incident_from_start_to_end(captures: Path, tmp_path: Path) -> None:
    """Pages are missing: who says so to whom, what does that process read and write; the evidence is taken along."""
    command = [sys.executable, "-m", "tui.cli", "-r", str(captures / "mixed_thin.scap.gz")]
    with Terminal(command, tmp_path, pace=PACE) as terminal:
        terminal.wait(r"1/201 ")
        terminal.press(["o"])
        # Tiles come up among the noteworthy ones while more is read.
        terminal.wait(r"Noteworthy(.|\n)*System files modified +1 +HTTP errors +12\b(.|\n)*System calls +104,724")
        # The cursor may have kept to a tile that was the first before others came.
        terminal.press(["Home", "Down", "Down", "Down", "Right", "Enter"])
        terminal.wait(r"▌── \d+  Wrote .*127\.0\.0\.1:8088 \(nginx\)(.|\n)*HTTP/1\.1 404 Not Found")
        terminal.press(["Enter"])
        terminal.wait(r"\n by +nginx \(thread 8664 (.|\n)*Payload as text\n +HTTP/1\.1 404 Not Found")
        terminal.press(["Down", "Down", "Down", "Enter"])
        terminal.wait("Show all of this")
        terminal.press(["Down", "Down", "Enter"])
        terminal.wait(r"Filter thread\.tid=8664 (.|\n)*▌ +8664 +8661 .*nginx")
        terminal.press(["Enter"])
        terminal.wait(r"▸ Threads\n(.|\n)*▌ +8664 +8664 ")
        terminal.press(["F2", *"Fi", "Enter"])
        terminal.wait(r"▸ Files\n(.|\n)*FILENAME(.|\n)*/tmp/peers_nginx/error\.log")
        terminal.press(["/", *"error.log", "Enter"])
        terminal.wait(r"▌.*/error\.log")
        terminal.press(["d"])
        terminal.wait(r"▌\d+ .*nginx .*<f>/tmp/peers_nginx/error\.log")
        terminal.press(["BSpace", "BSpace", "BSpace", "BSpace"])
        terminal.wait(r"▌by +nginx")
        terminal.press(["F"])
        shown = terminal.wait(r"▸ Stream\n(.|\n)*◀ received(.|\n)*▶ sent")
        assert shown.index("GET /none1 HTTP/1.1") < shown.index("HTTP/1.1 404 Not Found")
        terminal.press(["B", *"evidence", "Enter"])
        terminal.wait("Kept: evidence")
        terminal.press(["E", "Enter"])
        terminal.wait(r"Saved \d+ rows: syscope-")
        (saved,) = tmp_path.glob("syscope-*.txt")
        assert "GET /none1" in saved.read_text()
        assert "404 Not Found" in saved.read_text()
        terminal.press(["BSpace"] * 4)
        terminal.wait(r"1/201 ")
        terminal.press(["'"])
        terminal.wait("evidence")
        terminal.press(["Enter"])
        terminal.wait(r"Stream(.|\n)*404 Not Found")


@pytest.mark.long
@pytest.mark.skipif(os.geteuid() != 0, reason="needs to be allowed to watch the machine")
def test_a_live_incident() -> None:
    """A program that cannot reach its master: what it reads, and whom it tells."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "secret.txt").write_text("the needle in the haystack\n")
        (folder / "leak.py").write_text(LEAK)
        watched = [sys.executable, "leak.py", "secret.txt"]
        command = [sys.executable, "-m", "tui.cli", "-d", "500", "--", *watched]
        with Terminal(command, folder, pace=PACE) as terminal:
            find_the_leak(terminal, folder)


def find_the_leak(terminal: Terminal, folder: Path) -> None:
    terminal.wait(r"▌ *\d+ .*python", 60)
    terminal.press(["o"])
    terminal.wait(r"Noteworthy\n▌Failed connections +\d")
    terminal.press(["Enter"])
    terminal.wait(r"▌\d+ .*connect res=-111\(ECONNREFUSED\)")
    terminal.press(["Enter"])
    terminal.wait(r"\n by +python.*leak\.py")
    terminal.press(["Down", "Down", "Down", "Enter"])
    terminal.wait("Show all of this")
    terminal.press(["Down", "Down", "Enter"])
    terminal.wait(r"Filter thread\.tid=(.|\n)*▌ *\d+ .*python")
    terminal.press(["F2", *"Fi", "Enter"])
    terminal.wait(r"▸ Files\n(.|\n)*/secret\.txt")
    terminal.press(["/", *"secret.txt", "Enter"])
    terminal.wait(r"▌.*/secret\.txt")
    terminal.press(["e"])
    terminal.wait(r"Read 27 B from .*secret\.txt(.|\n)*the needle in the haystack")
    terminal.press(["Enter"])
    terminal.wait(r"Payload(.|\n)*the needle in the haystack")
    terminal.press(["BSpace", "BSpace", "F2", *"Conn", "Enter"])
    terminal.wait(r"▸ Connections\n(.|\n)*▌.*127\.0\.0\.1")
    terminal.press(["F"])
    shown = terminal.wait(r"▸ Stream\n(.|\n)*PUT /drop the needle(.|\n)*thanks")
    assert "sent 37 B" in shown
    terminal.press(["B", *"leak", "Enter"])
    terminal.wait("Kept: leak")
    terminal.press(["E", "Enter"])
    terminal.wait(r"Saved \d+ rows: syscope-")
    (saved,) = folder.glob("syscope-*.txt")
    assert "PUT /drop the needle in the haystack" in saved.read_text()
    terminal.press(["["])
    time.sleep(1)
    terminal.wait("behind now")
    terminal.press(["w"])
    terminal.wait(r" live ")
