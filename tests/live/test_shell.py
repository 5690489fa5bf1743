"""A shell session on a terminal, as the view of what users do tells it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.live.observing import Observer
from tests.views.running import as_rows
from tests.views.running import run as run_view

SESSION = """
import os, pty
pid, terminal = pty.fork()
if not pid:
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/", "TERM": "dumb"}
    os.execve("/bin/bash", ["bash", "--norc", "--noprofile", "--noediting", "-i"], environment)
for line in (b"cd /usr", b"head -c 1 /etc/hostname", b"setpriv --reuid=65534 --clear-groups true", b"exit"):
    os.write(terminal, line + b"\\n")
try:
    while os.read(terminal, 4096): pass
except OSError: pass  # the other end is closed
os.waitpid(pid, 0)
"""


@pytest.mark.skipif(not Path("/bin/bash").exists() or not shutil.which("setpriv"), reason="needs bash and setpriv")
def test_what_is_typed_in_a_shell_is_told_with_who_and_where(observer: Observer) -> None:
    run = observer.python(SESSION)
    (shell,) = [event.thread for event in run.calls("execve", comm=b"bash")]
    rows = [row for row in as_rows(run_view(observer.store, "spy_users")) if row["SHELL"] == shell.pid]
    assert [(row["USER"], row["DIRECTORY"], row["Command"]) for row in rows] == [
        ("root", "/usr/", "head -c 1 /etc/hostname"),
        ("root", "/usr/", "setpriv --reuid=65534 --clear-groups true"),
        ("nobody", "/usr/", "true"),
    ]
    moved = [row for row in as_rows(run_view(observer.store, "spy_users")) if row["SHELL"] == shell.ptid]
    assert any(event.path == b"/usr" and event.thread.pid == shell.pid for event in run.calls("chdir"))
    assert "/usr/" in [row["DIRECTORY"] for row in moved], "the shell itself, and its change of directory"
    typed = [event for event in run.calls("execve") if event.thread.ptid == shell.pid]
    # They share the shell's terminal, which is the other end of the one that was written to.
    assert len({event.tty for event in typed}) == 1 and typed[0].tty != 0
    assert {event.thread.cwd for event in typed} == {b"/usr/"}
    assert {event.thread.sid for event in typed} == {shell.pid}
