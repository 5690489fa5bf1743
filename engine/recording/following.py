"""Recording beside a screen: from now on, and what the store has kept of before.

Owns what a file that begins with the past says of the machine then. Asked from any thread, worked on by the one that
fills the store.
"""

from __future__ import annotations

import errno
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from engine.decode.decoder import Decoder
from engine.query.snapshots import Recorded
from engine.recording import outputs
from engine.recording.chosen import container_blocks, write
from engine.recording.recorder import FLUSH
from engine.sources.live.writer import Facts
from engine.sources.native.writer import NativeWriter
from engine.store.store import Store

AT_ONCE = 4
"""Segments of the past written between two looks at the source: it must not wait for them."""


class Recording:
    """At most one recording at a time, of everything that enters a store."""

    def __init__(self, store: Store, decoder: Decoder, *, single: bool) -> None:
        """``single``: each call is one exit event (``Source.single``)."""
        self._store = store
        self._decoder = decoder
        self._single = single
        self._lock = threading.Lock()
        self._asked: Path | None = None
        self._changed = False
        self._file: _Native | _Scap | None = None
        self._due = 0.0
        self.state: Recorded | None = None
        """The recording there is, or the last one; None before the first."""

    def start(self, path: Path) -> None:
        """Record from now on, and what is kept of before; a recording there is ends. Any thread may ask."""
        with self._lock:
            self._asked, self._changed = path, True

    def stop(self) -> None:
        """Finish the recording. Any thread may ask."""
        with self._lock:
            self._asked, self._changed = None, True

    @property
    def needed_from(self) -> int:
        """Number of the first event that must not be forgotten yet; past all there are without a recording."""
        return 2**62 if self._file is None else self._file.next + 1

    def step(self) -> None:
        """Do what was asked, and write what is new. To be called after every step of the source."""
        with self._lock:
            asked, changed, self._changed = self._asked, self._changed, False
        if changed:
            self.close()
            if asked is not None:
                self._open(asked)
        if self._file is not None:
            now = time.monotonic()
            if now > self._due:
                self._decoder.seal()
                self._due = now + FLUSH
            self._write(AT_ONCE)

    def close(self) -> None:
        """Finish the recording there is, with all that is in the store."""
        if self._file is None:
            return
        problem = ""
        try:
            self._decoder.seal()
        except Exception as error:  # this may be why it ends
            problem = _words(error)
        self._write(len(self._store.segments))
        if self._file is not None:
            self._end(problem)

    def _end(self, problem: str) -> None:
        file, self._file = self._file, None
        assert file is not None
        assert self.state is not None
        try:
            file.close()
        except Exception as error:  # as of writing
            problem = problem or _words(error)
        self.state = replace(self.state, open=False, problem=problem)

    def _open(self, path: Path) -> None:
        self.state = Recorded(path)
        try:
            kind = _Native if outputs.is_native(path) else _Scap
            self._file = kind(path, self._store, _facts(self._store, self._decoder), self._single)
        except OSError as error:
            self.state = Recorded(path, open=False, problem=_words(error))

    def _write(self, most: int) -> None:
        assert self._file is not None
        assert self.state is not None
        try:
            events = self._file.follow(most)
            self.state = replace(self.state, events=self.state.events + events)
        except Exception as error:  # a full disk, or a bug of ours: the screen goes on, and says why the file does not
            self._end(_words(error))


def _words(error: Exception) -> str:
    """What went wrong, for people."""
    told = error.strerror if isinstance(error, OSError) else f"{type(error).__name__}: {error}"
    return told or str(error)


class _Native:
    """A native capture that takes after the store itself."""

    def __init__(self, path: Path, store: Store, facts: Facts, single: bool) -> None:
        self._store = store
        self._writer = NativeWriter(path, store, single=single, front=facts.blocks(False))
        self.next = store.forgotten

    def follow(self, most: int) -> int:
        """Write up to so many segments that are new; how many events they have."""
        before, self.next = self.next, self._writer.follow(most=most)
        return self.next - before

    def close(self) -> None:
        """Finish the file."""
        self._writer.close()


class _Scap:
    """A .scap file of all that is in the store."""

    def __init__(self, path: Path, store: Store, facts: Facts, single: bool) -> None:
        self._store = store
        self._output = outputs.begin(path, facts, single=single)
        self.next = store.forgotten
        time_ns = store.time_span[0] or time.time_ns()
        blocks = container_blocks(store.containers.values(), time_ns)
        if blocks:
            self._output.events(memoryview(b"".join(blocks)), np.zeros(len(blocks), np.int64))

    def follow(self, most: int) -> int:
        """Write up to so many segments that are new; how many events they have."""
        new = [segment for segment in self._store.since(self.next)[:most] if segment.first >= self.next]
        for segment in new:
            if len(write(self._output, self._store, segment, segment.visible, 0, len(segment))):
                raise OSError(errno.ENODATA, "the bytes of events are gone")
            self.next = segment.first + len(segment)
        if new:
            self._output.flush()
        return sum(map(len, new))

    def close(self) -> None:
        """Finish the file."""
        self._output.close()


def _facts(store: Store, decoder: Decoder) -> Facts:
    """The machine as it was before the first event that is kept, as far as is known.

    Threads are those in force then. What their descriptors stood for is known of those that were used since, by them
    or by processes they made, and of those still open.
    """
    facts, told = Facts(), Facts()
    decoder.tell(told)
    first = store.forgotten + 1
    columns = store.threads.columns
    rows = np.flatnonzero((columns["first"] <= first) & (columns["last"] >= first)).tolist()
    pids = {store.threads[row].pid for row in rows}
    told.repeat(facts, threads=False)
    for row in rows:
        if store.threads[row].pid >= 0:
            facts.thread(replace(store.threads[row], ended=-1, parent=-1, leader=-1, life=-1))
    still_open = decoder.open_fds()
    fds = store.fds.rows
    seen: set[tuple[int, int]] = set()
    identities = store.fds.identities

    def note(pid: int, number: int, row: int) -> None:
        if pid in pids and (pid, number) not in seen:
            seen.add((pid, number))
            entry = fds[row]
            kind, name, socket = identities[entry["identity"]]
            facts.fd(pid, number, kind, name, socket, int(entry["flags"]), int(entry["dev"]), int(entry["ino"]))

    for segment in store.segments:
        known = np.flatnonzero((segment.fd_row >= 0) & (segment.fd >= 0) & (segment.thread >= 0))
        known = known[fds["first"][segment.fd_row[known]] <= first]
        keys = np.stack([segment.thread[known], segment.fd[known]])
        _, at = np.unique(keys, axis=1, return_index=True)
        for row in known[np.sort(at)].tolist():
            pid = _owner(store, int(segment.thread[row]), pids)
            note(pid, int(segment.fd[row]), int(segment.fd_row[row]))
    for tid, number, row, _ in still_open:
        if fds["first"][row] <= first:
            note(tid, number, row)
    return facts


def _owner(store: Store, row: int, pids: set[int]) -> int:
    """Pid of the process a thread is of, or of its nearest ancestor among ``pids``; -1 without one."""
    for _generation in range(64):
        if row < 0:
            break
        thread = store.threads[row]
        if thread.pid in pids:
            return thread.pid
        row = thread.parent
    return -1
