"""What is said where the kernel may not be watched."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("setpriv"), reason="needs root and setpriv to give permissions up"
)


def without_permission(*words: str, but: str = "") -> subprocess.CompletedProcess[str]:
    """Run us without any capability but those named, ``,+name`` each."""
    command = ["setpriv", f"--bounding-set=-all{but}", "--inh-caps=-all", sys.executable, "-m", "tui.cli", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_recording_names_what_is_missing_and_leaves_no_file(tmp_path: Path) -> None:
    done = without_permission("record", "-w", str(tmp_path / "x.scap"))
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "CAP_BPF and CAP_PERFMON" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("observer")
def test_two_capabilities_are_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    done = without_permission("record", "-w", str(tmp_path / "x.scap"), "-M", "0.5", but=",+bpf,+perfmon")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert re.fullmatch(r"tui record: \d+ events\n", done.stderr)


def test_the_doctor_tells_each_and_how_to_mend_it() -> None:
    done = without_permission("doctor")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    missing = [index for index, line in enumerate(lines) if line.startswith("MISS CAP_")]
    assert len(missing) == 2
    (mend,) = (line for line in lines if "--cap-add=BPF" in line)
    assert lines.index(mend) > max(missing)
    assert any(line.startswith("ok   BTF") for line in lines)
