"""Incidents played from start to end in a real terminal: the answers found are asserted, not that screens appeared."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.demo.stories import STORIES, Story, Terminal, explore, play

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux")


@pytest.mark.long
@pytest.mark.parametrize("story", STORIES, ids=lambda story: str(story.number))
def test_a_story_is_answered(story: Story, captures: Path, tmp_path: Path) -> None:
    keys, _ = play(explore(captures / story.capture, tmp_path, *story.options), story.steps, r"\d+/\d+")
    assert keys < 60


def test_an_incident_from_start_to_end(captures: Path, tmp_path: Path) -> None:
    """Who answered 502, to whom and to what; the evidence is kept and taken along."""
    with explore(captures / "502Error.scap", tmp_path) as terminal:
        terminal.wait(r"\d+/41")
        terminal.press(["o"])
        terminal.wait(r"Noteworthy\n.*HTTP errors +1\b")
        terminal.press(["Enter"])
        shown = terminal.wait("502 Bad Gateway")
        assert "(haproxy)" in shown
        terminal.press(["Enter"])
        shown = terminal.wait("made by +dockercloud-hap")
        assert "192.168.0.1:44604->192.168.0.3:80" in shown
        assert "container" not in shown or "example2_lb_1" in shown or "haproxy" in shown
        terminal.press(["F"])
        shown = terminal.wait(r"◀ received")
        assert shown.index("GET /") < shown.index("502 Bad Gateway")
        terminal.press(["B", *"evidence", "Enter"])
        terminal.wait("Kept: evidence")
        terminal.press(["E", "Enter"])
        terminal.wait(r"Saved \d+ rows: syscope-")
        (saved,) = tmp_path.glob("syscope-*.txt")
        assert "502 Bad Gateway" in saved.read_text()
        terminal.press(["BSpace", "BSpace", "BSpace", "BSpace"])
        terminal.wait(r"1/41")
        terminal.press(["'"])
        terminal.wait("evidence")
        terminal.press(["Enter"])
        terminal.wait(r"Stream(.|\n)*502 Bad Gateway")


@pytest.mark.long
@pytest.mark.skipif(os.geteuid() != 0, reason="needs to be allowed to watch the machine")
def test_a_live_incident(tmp_path: Path) -> None:
    """Which process reads a secret over and over, and what it reads."""
    secret = tmp_path / "secret.txt"
    secret.write_text("the needle in the haystack\n")
    command = [sys.executable, "-m", "tui.cli", "-d", "500"]
    reading = subprocess.Popen(["sh", "-c", f"while :; do cat {secret} > /dev/null; sleep 0.2; done"])
    try:
        with Terminal(command, tmp_path) as terminal:
            terminal.wait(r"\d+/\d+ \(", 60)
            terminal.press(["f", *f"fd.name={secret}"])
            terminal.wait(r"keeps [1-9][\d,]* of")
            terminal.press(["Enter"])
            terminal.wait(r"▌.*cat " + str(secret)[:10])
            terminal.press(["e"])
            terminal.wait("the needle in the haystack")
            terminal.press(["Enter"])
            terminal.wait("Payload as text|made by +sh")
            terminal.press(["BSpace", "["])
            time.sleep(1)
            terminal.wait("behind now")
            terminal.press(["w"])
            terminal.wait(r" live ")
    finally:
        reading.terminate()
        reading.wait()
