"""Every cell of every line equals sysdig 0.29.3's, or differs by a listed rule, exactly as often as listed.

Both programs print the same fields of the same copy of each shared capture (one that sysdig reads to its end). Whole
lines are compared first; those that differ are taken apart, and every differing cell needs one of ``oracle_rules``.
Cells for which sysdig has no value are not compared. After a rule was added, ``python -m tests.engine.oracle_count``
counts again.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.engine.oracle import CAPTURES, listed
from tests.engine.oracle_count import DOWNGRADE, compare

SHOWN = 20
"""Differences without a rule that a failure shows."""


@pytest.mark.parametrize("name", CAPTURES)
def test_lines_equal_sysdigs_but_for_the_listed_differences(name: str, captures: Path, tmp_path: Path) -> None:
    if shutil.which("sysdig") is None:
        pytest.skip("needs sysdig 0.29.3")
    if not (captures / DOWNGRADE).exists():
        pytest.skip(f"needs {DOWNGRADE} beside the shared captures, which makes copies that sysdig reads to their end")
    lines, found, unexplained = compare(captures / name, tmp_path)
    assert lines, "sysdig read nothing"
    assert not unexplained, f"{len(unexplained)} without a rule:\n" + "\n".join(unexplained[:SHOWN])
    assert dict(found) == listed(name)
