"""The wheel: built from the checkout, installed in an environment of its own, used from somewhere else."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.long


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, cwd=cwd)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def test_an_installed_wheel_opens_a_capture_from_an_unrelated_folder(tmp_path: Path) -> None:
    built, home, elsewhere = tmp_path / "built", tmp_path / "venv", tmp_path / "elsewhere"
    elsewhere.mkdir()
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", built, ROOT, cwd=tmp_path)
    (wheel,) = built.glob("syscope-*.whl")
    venv.create(home, with_pip=True)
    run(home / "bin/python", "-m", "pip", "install", "--quiet", wheel, cwd=elsewhere)
    (elsewhere / "demo.scap.gz").write_bytes((ROOT / "tui" / "demo.scap.gz").read_bytes())
    printed = run(home / "bin/tui", "view", "procs", "-r", "demo.scap.gz", "--json", cwd=elsewhere)
    assert any("nginx" in str(row) for row in json.loads(printed))
    lines = run(home / "bin/syscope", "dig", "-r", "demo.scap.gz", "evt.res=ECONNREFUSED", cwd=elsewhere)
    assert "172.18.0.1:5433" in lines
    listed = run(
        home / "bin/python", "-c", "import bpf_src, tui; print(*bpf_src.__path__, tui.__file__)", cwd=elsewhere
    )
    assert all(place.startswith(str(home)) for place in listed.split())
