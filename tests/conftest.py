"""What every test may use: the shared sample captures, where they are."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

# How long a case takes says how busy the machine is.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
# A shell that runs this in the background has Ctrl-C ignored, and so would every program that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)
ROOT = Path(__file__).resolve().parent.parent
"""The checkout."""
OWN = ROOT / "tests" / "captures"
"""Captures recorded for the tests; the README beside them says how."""
CAPTURES_VARIABLE = "SYSCOPE_CAPTURES"


@pytest.fixture(scope="session")
def captures() -> Path:
    """Folder of the shared sample captures; the test is skipped where there is none."""
    named = os.environ.get(CAPTURES_VARIABLE)
    folder = Path(named) if named else ROOT.parent / "shared" / "captures"
    if folder.is_dir():
        return folder
    if named:
        # Asked for by name, so its absence is a mistake and no reason to skip.
        pytest.exit(f"{CAPTURES_VARIABLE}={named} is not a folder", returncode=pytest.ExitCode.USAGE_ERROR)
    pytest.skip(f"needs the shared captures: set {CAPTURES_VARIABLE} to their folder")


@pytest.fixture(autouse=True)
def no_settings_of_ones_own(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Neither read nor change the settings and state of whoever runs the tests."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.getbasetemp() / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.getbasetemp() / "state"))
