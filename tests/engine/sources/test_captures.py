"""The shared sample captures, against the facts in their README."""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from engine.sources.blocks import LONGEST, SHORTEST
from tests.engine.sources.recorder import record


@pytest.mark.parametrize(
    ("name", "events", "uncompressed"),
    [
        ("tiny.scap", 8449, 629600),
        ("tiny.scap.gz", 8449, 629600),
        ("tiny_z.scap", 8449, 629588),
        ("tiny25.scap.gz", 8306, 691788),
        ("containers.scap.gz", 137613, 11493048),
        ("mixed.scap.gz", 400000, 24852664),
        ("mixed_thin.scap.gz", 220784, 21150600),
        ("mixed25_thin.scap.gz", 201375, 22764872),
        ("502Error.scap", 22381, None),
        ("libs_curl_google.scap", 1536, None),
        ("libs_curl_google_comments.scap", 1536, None),
        ("libs_single_ipv6_conn.scap", 1728, None),
        ("libs_test_ipv6_client.scap", 326, None),
        ("libs_sample_2023.scap", 572, None),
        ("xxradar_docker_curl_2025.scap", 3557, None),
    ],
)
def test_every_event_is_found(captures: Path, name: str, events: int, uncompressed: int | None) -> None:
    recorder = record(captures / name)
    assert len(recorder.offsets) == events
    assert recorder.damage == []
    assert recorder.sections == 1
    if uncompressed is not None:
        last = recorder.offsets[-1]
        assert SHORTEST < uncompressed - last < LONGEST


@pytest.mark.skipif(shutil.which("sysdig") is None, reason="needs sysdig")
@pytest.mark.parametrize("name", ["502Error.scap", "libs_curl_google.scap", "libs_test_ipv6_client.scap"])
def test_sysdig_saves_what_was_read(captures: Path, name: str, tmp_path: Path) -> None:
    """It writes today's layouts; its interface list then has the wrong length that no sysdig can read."""
    saved = tmp_path / name
    subprocess.run(["sysdig", "-r", captures / name, "-w", saved], check=True, capture_output=True)
    again, first = record(saved), record(captures / name)
    assert again.damage == []
    assert again.interfaces == first.interfaces != []
    assert again.users == first.users
    assert again.groups == first.groups
    assert sorted(map(repr, again.threads)) == sorted(map(repr, first.threads)) != []
    assert Counter(again.fds) == Counter(first.fds) != Counter()
    assert len(again.times) == len(first.times)
