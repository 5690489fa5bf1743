"""Any capture into a smaller one, native or .scap: exactly the chosen events are visible in it.

Owns what a file says that begins in the middle of another: the tables as they stood there, and hidden events for
what was born later.
"""

from __future__ import annotations

import errno
import gzip
import os
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine import filters
from engine.decode.decoder import Decoder
from engine.decode.stop import Stop
from engine.ingest import look_inside
from engine.model.facts import Thread
from engine.recording import outputs
from engine.recording.chosen import block_sizes, cluster_blocks, container_blocks, kept_threads, write
from engine.recording.moments import moment, window
from engine.sources import open_capture
from engine.sources.blocks import FRAME, SECTION, is_length
from engine.sources.live.writer import GZIP_LEVEL, Facts
from engine.sources.native.writer import NativeWriter
from engine.sources.raw import PAGE
from engine.sources.scap import CaptureError, ScapSource
from engine.store.segment import Segment
from engine.store.store import Damage, RawBytes, Store

Progress = Callable[[str, float], None]
"""Told what is being done, and how much of it is, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What of a capture goes into another."""

    filter: str = ""
    since: str = ""
    """The first moment (``moment``), empty for the beginning."""
    until: str = ""
    """The last moment."""
    compress: bool = False
    old: bool = False
    """Also for sysdig 0.29.3."""
    numbers: tuple[int, int] | None = None
    """Number of the first event and of the last, in place of times; None for all."""
    private: bool = False
    """Of the threads at the beginning only those go along that the filter keeps."""


def export(path: Path, target: Path, choice: Choice, progress: Progress = lambda *_: None) -> tuple[int, list[Damage]]:
    """Write what is chosen of the capture at ``path`` to ``target``; how many events are visible there, and the damage
    that was met.

    Raises FilterError for a bad filter, MomentError for bad times, CaptureError when nothing can be read or nothing is
    chosen, OSError when the file cannot be written.
    """
    kept = filters.compile(choice.filter)
    for text in filter(None, (choice.since, choice.until)):
        moment(text, (0, 0))
    if target.exists() and path.exists() and os.path.samefile(path, target):
        raise CaptureError(f"{target}: expected another file than the one that is read")
    with closing(open_capture(path)) as source:
        store = Store(source.raw)
        decoder = Decoder(store, str(path))
        while source.step(decoder):
            progress("reading", source.progress)
        decoder.seal()
        if calls := decoder.inside():
            look_inside(store, decoder, calls, store.time_span[1])
        if not store.segments:
            raise CaptureError(str(store.damage[-1]) if store.damage else f"{path}: holds no events")
        if not (choice.filter.strip() or choice.since or choice.until or choice.old or choice.numbers):
            try:
                if outputs.is_native(target):
                    return _whole(store, target, choice, source.single, progress), store.damage
                if not source.single:
                    return _copied(store, target, choice, progress), store.damage
            except OSError as error:
                # Of a damaged page: its events are left out then, and all others written one by one.
                if error.errno != errno.ENODATA:
                    raise
        return _chosen(store, path, target, choice, kept, source.single, progress), store.damage


def _visible(store: Store) -> int:
    return sum(int((segment.flags == 0).sum()) for segment in store.segments)


def _whole(store: Store, target: Path, choice: Choice, single: bool, progress: Progress) -> int:
    """Everything, as a native capture."""
    writer = NativeWriter(target, store, single=single, compress=choice.compress)
    try:
        while (number := writer.follow(most=8)) < store.events:
            progress("writing", number / store.events)
    finally:
        writer.close()
    return _visible(store)


def _copied(store: Store, target: Path, choice: Choice, progress: Progress) -> int:
    """Everything, as the .scap stream it is."""
    end = store.segments[-1].end
    with gzip.open(target, "wb", GZIP_LEVEL) if choice.compress else open(target, "wb") as file:
        for start in range(0, end, PAGE):
            piece = store.raw.read(start, min(start + PAGE, end))
            if len(piece) < min(PAGE, end - start):
                raise OSError(errno.ENODATA, "the bytes of events are gone")
            file.write(piece)
            progress("writing", start / end)
    return _visible(store)


def _chosen(
    store: Store, path: Path, target: Path, choice: Choice, kept: filters.Filter, single: bool, progress: Progress
) -> int:
    span = store.time_span
    first_time, last_time = window(choice.since, choice.until, span)
    masks = []
    for segment in store.segments:
        mask = kept.mask(store, segment)
        if choice.since or choice.until:
            mask = mask & (segment.time >= first_time) & (segment.time <= last_time)
        if choice.numbers is not None:
            first_row, last_row = (number - segment.first for number in choice.numbers)
            mask[: max(first_row - 1, 0)] = False
            mask[max(last_row, 0) :] = False
        masks.append(mask)
        progress("choosing", (segment.first + len(segment)) / store.events)
    count = sum(int(mask.sum()) for mask in masks)
    if not count:
        raise CaptureError(f"{path}: no event is chosen: the filter keeps none of these {store.events}")
    first = next(at for at, mask in enumerate(masks) if mask.any())
    last = next(at for at in reversed(range(len(masks))) if masks[at].any())
    begin = store.segments[0].first
    if choice.since or choice.numbers is not None:
        begin = store.segments[first].first + int(np.argmax(masks[first]))
    facts, blocks = _state(store, path, begin, kept if choice.private else None, max(first_time, 0), progress)
    ends = bool(choice.until) or choice.numbers is not None
    sections = _sections(store, path, begin, last if ends else len(masks) - 1)
    if sections and choice.private:
        raise CaptureError(
            f"{path}: holds several sections, of whose threads none can be left out; choose times of one"
        )
    damaged: list[int] = []

    def copy(segment: Segment, mask: NDArray[np.bool_], start: int, end: int) -> None:
        rows = write(output, store, segment, mask, start, end)
        damaged.extend(segment.offset[rows[mask[rows]]].tolist())

    output = outputs.begin(target, facts, single=single, compress=choice.compress, old=choice.old)
    try:
        if blocks:
            output.events(memoryview(b"".join(blocks)), np.zeros(len(blocks), np.int64))
        for at in range(last + 1 if ends else len(masks)):
            segment, mask = store.segments[at], masks[at]
            end = len(segment)
            if ends and at == last:
                end = int(np.flatnonzero(mask)[-1]) + 1
            start = min(max(begin - segment.first, 0), len(segment))
            for row, section in sections.get(at, ()):
                if row < end:
                    copy(segment, mask, start, row)
                    output.section(section)
                    start = row
            copy(segment, mask, start, end)
            progress("writing", (segment.first + len(segment)) / store.events)
    finally:
        output.close()
    if damaged:
        expected = f"expected an event block, as for {len(damaged)} chosen events, which are left out"
        store.damage.append(Damage(str(path), damaged[0], expected, ends=False))
    return count - len(damaged)


def _sections(store: Store, path: Path, begin: int, last: int) -> dict[int, list[tuple[int, Facts]]]:
    """The sections that begin between the event of index ``begin`` and the end of segment ``last``: by segment, the
    row each begins in front of and what it begins with."""
    found: dict[int, list[tuple[int, Facts]]] = {}
    for at in range(last + 1):
        segment = store.segments[at]
        skipped = max(begin - segment.first, 0)
        offsets = segment.offset[skipped:]
        if not len(offsets):
            continue
        sizes = block_sizes(store.raw.read(int(offsets[0]), segment.end), offsets - offsets[0])
        nexts = np.append(offsets[1:], store.segments[at + 1].offset[0] if at < last else segment.end)
        for row in np.flatnonzero((sizes > 0) & (offsets + sizes < nexts)).tolist():
            gap = _Gap(store.raw)
            gap.read(str(path), int(offsets[row] + sizes[row]), int(nexts[row]))
            if gap.sections:
                found.setdefault(at, []).append((skipped + row + 1, gap))
    return found


class _Gap(Facts):
    """Blocks between two events, collected as far as they tell of another section."""

    limit = None

    def __init__(self, raw: RawBytes) -> None:
        super().__init__()
        self.store = Store(raw)
        self.sections = 0

    def read(self, path: str, start: int, end: int) -> None:
        """Take in the blocks from one offset of the stream to another."""
        while start < end and not self.sections:
            frame = self.store.raw.read(start, start + FRAME.size)
            number, size = FRAME.unpack(frame) if len(frame) == FRAME.size else (0, 0)
            if not is_length(size):
                return
            if number == SECTION:
                source = ScapSource(path, _Again(self.store.raw, start, end))
                while source.step(self):
                    pass
            start += size

    def section(self) -> None:
        """Only the last section of several without events matters."""
        super().__init__()
        self.sections += 1

    def feed(self, buffer: memoryview, base: int, start: int) -> tuple[int, Stop, str]:
        """There are no events."""
        return start, Stop.OTHER, ""

    def seal(self) -> None:
        """Nothing is held back."""


def _state(
    store: Store, path: Path, number: int, kept: filters.Filter | None, time: int, progress: Progress
) -> tuple[Facts, list[bytes]]:
    """What was known after the first ``number`` events: their bytes are decoded once more. ``kept`` chooses threads,
    and then nothing is told of a cluster. Containers and a cluster are told by events of that time."""
    before = Store(store.raw)
    stream = _Again(store.raw, 0, store.segments[-1].end)
    try:
        source = ScapSource(str(path), stream)
    except CaptureError:
        if not store.damage:
            raise
        # The first bytes of a native capture cannot be read: nobody can say who was there.
        raise CaptureError(str(store.damage[-1])) from None
    decoder = Decoder(before, str(path), limit=number - store.segments[0].first)
    while source.step(decoder):
        progress("finding who was there", stream.progress)
    told, facts = Facts(), Facts()
    decoder.tell(told)
    told.repeat(_AsKnown(facts, store, number))
    if kept is not None:
        opened = [(tid, fd, row) for tid, fd, row, _ in decoder.open_fds()]
        tids = kept_threads(before, opened, kept, max(number, 1))
        facts.threads = [thread for thread in facts.threads if thread.tid in tids]
    named = {thread.container for thread in facts.threads}
    containers = (container for name, container in before.containers.items() if name in named)
    return facts, container_blocks(containers, time) + (cluster_blocks(before.cluster, time) if kept is None else [])


class _AsKnown:
    """Hands on facts, those of threads as the store has them, which may know more than the bytes say."""

    def __init__(self, facts: Facts, store: Store, number: int) -> None:
        columns = store.threads.columns
        rows = np.flatnonzero((columns["first"] <= max(number, 1)) & (columns["last"] > number)).tolist()
        self._known = {store.threads[row].tid: store.threads[row] for row in rows}
        self.machine, self.interface, self.fd = facts.machine, facts.interface, facts.fd
        self.user, self.group, self.former = facts.user, facts.group, facts.former
        self._facts = facts

    def thread(self, thread: Thread) -> None:
        """Hand on the version that was in force."""
        known = self._known.get(thread.tid, thread)
        self._facts.thread(replace(known, ended=-1, parent=-1, leader=-1, life=-1))


class _Again:
    """Part of the stream of a capture that was read, for reading once more."""

    trouble = ""

    def __init__(self, raw: RawBytes, start: int, end: int) -> None:
        self.raw = raw
        self._size = end
        self._position = start

    @property
    def progress(self) -> float:
        """How much was read, 0 to 1."""
        return min(self._position / self._size, 1.0)

    def readinto(self, target: memoryview) -> int:
        """As of every stream."""
        piece = self.raw.read(self._position, min(self._position + len(target), self._size))
        target[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)

    def interrupt(self) -> None:
        """Nobody is kept waiting."""

    def close(self) -> None:
        """Nothing is open."""
