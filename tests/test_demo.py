"""The capture that ships with the program: ours, small, and fit for every view."""

from __future__ import annotations

import gzip
import shutil
import subprocess
from importlib.resources import files

import pytest

from tests.demo.__main__ import make
from tests.demo.shop import APP_ID, WEB_ID

DEMO = files("tui") / "demo.scap.gz"


def test_it_is_what_its_program_writes() -> None:
    assert gzip.decompress(DEMO.read_bytes()) == make()


def test_it_is_small() -> None:
    assert len(DEMO.read_bytes()) < 300_000


@pytest.mark.skipif(shutil.which("sysdig") is None, reason="needs sysdig")
def test_sysdig_reads_it_to_the_end_with_containers_users_and_errors() -> None:
    layout = "%container.id %container.name %user.name %evt.res"
    with DEMO.open("rb") as file:
        done = subprocess.run(["sysdig", "-r", "/dev/stdin", "-p", layout], stdin=file, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    cells = {tuple(line.split()) for line in done.stdout.splitlines()}
    assert {cell[:2] for cell in cells} == {("host", "host"), (WEB_ID[:12], "web"), (APP_ID[:12], "app")}
    assert {"ENOENT", "EACCES", "ECONNREFUSED", "EINPROGRESS"} <= {cell[-1] for cell in cells}
    assert {"root", "nginx", "shop", "postgres", "deploy"} <= {cell[2] for cell in cells}
