"""Compare native captures with .scap of the same events: size, cost of recording, time to open.

    python -m benchmarks.native CAPTURE [--rounds N]

CAPTURE becomes a native file and a plain .scap, which are opened in turns: until everything was taken in, and until
the first view is there. If CAPTURE is native and was recorded live, what a recording costs beside decoding is compared
too: the same events are written to both formats. Figures are medians; what matters are the ratios.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

import views
from engine.decode.decoder import Decoder
from engine.query.compose import compose
from engine.query.table import TableRun
from engine.recording.export import Choice, export
from engine.sources import open_capture
from engine.sources.live.writer import Facts, ScapFile
from engine.sources.native.writer import NativeWriter
from engine.sources.raw import KeptBytes
from engine.store.store import Store

CHUNK = 4096
"""Events handed on at once, as many as come live between two looks at the ring."""


def median(rounds: int, *works: Callable[[], float]) -> list[float]:
    """Medians of what works measure; they take turns, after a round that is not counted."""
    runs = [[work() for work in works] for _ in range(rounds + 1)][1:]
    return [statistics.median(run[at] for run in runs) for at in range(len(works))]


def opening(path: Path, first_view: bool) -> float:
    """Seconds until all was taken in, or until the files view is there too."""
    began = time.perf_counter()
    source = open_capture(path)
    store = Store(source.raw)
    decoder = Decoder(store, str(path))
    while source.step(decoder):
        pass
    if first_view:
        view = views.load().views["files"]
        run = TableRun(store, view, compose("", (), view))
        run.update()
        run.table().page(0, 50)
    seconds = time.perf_counter() - began
    source.close()
    return seconds


class Replay:
    """The events of a live native capture, to be recorded again."""

    def __init__(self, path: Path) -> None:
        source = open_capture(path)
        store = Store(source.raw)
        decoder = Decoder(store, str(path))
        while source.step(decoder):
            pass
        self.chunks: list[tuple[bytes, NDArray[np.int64]]] = []
        for segment in store.segments:
            starts = [*segment.offset[::CHUNK].tolist(), segment.end]
            for at, (start, end) in enumerate(pairwise(starts)):
                latencies = np.ascontiguousarray(segment.latency[at * CHUNK : (at + 1) * CHUNK])
                self.chunks.append((bytes(source.raw.read(start, end)), latencies))
        source.close()

    def cost(self, begin: Callable[[Store], Callable[[memoryview, NDArray[np.int64]], None]]) -> float:
        """CPU seconds of decoding all, and of what ``begin`` makes of each chunk."""
        raw = KeptBytes()
        store = Store(raw)
        decoder = Decoder(store, "replay")
        began = time.process_time()
        write = begin(store)
        for blocks, latencies in self.chunks:
            base = raw.size
            raw.append(memoryview(blocks))
            decoder.feed(blocks, base, 0, latencies)
            write(memoryview(blocks), latencies)
        decoder.seal()
        return time.process_time() - began


def recording(path: Path, folder: Path, rounds: int) -> None:
    """Print what recording costs beside decoding."""
    replay = Replay(path)

    def nothing(_: Store) -> Callable[[memoryview, NDArray[np.int64]], None]:
        return lambda *_: None

    def native(store: Store) -> Callable[[memoryview, NDArray[np.int64]], None]:
        writer = NativeWriter(folder / "again.syscope", store, single=True, front=Facts().blocks(False))
        return lambda *_: None if not store.segments else (writer.follow(), None)[1]

    def scap(_: Store) -> Callable[[memoryview, NDArray[np.int64]], None]:
        return ScapFile(folder / "again.scap", Facts()).events

    decoded, to_native, to_scap = median(rounds, *(partial(replay.cost, begin) for begin in (nothing, native, scap)))
    events = sum(len(latencies) for _, latencies in replay.chunks)
    print(f"\nrecording {events} events, CPU ns an event: decoding {decoded / events * 1e9:.0f},")
    for name, cost in (("native", to_native), (".scap", to_scap)):
        print(f"  writing {name} besides {(cost - decoded) / events * 1e9:.0f}")
    print(f"  ratio of native to .scap, decoding included {to_native / to_scap:.2f}")
    print(f"  size: native to .scap {ratio(folder / 'again.syscope', folder / 'again.scap')}")


def ratio(one: Path, other: Path) -> str:
    """How large a file is against another."""
    return f"{os.path.getsize(one) / os.path.getsize(other):.2f}"


def main() -> int:
    """Command line, see the module's text."""
    parser = argparse.ArgumentParser(description="Compare native captures with .scap.")
    parser.add_argument("capture", type=Path)
    parser.add_argument("--rounds", type=int, default=5, help="counted rounds (5)")
    asked = parser.parse_args()
    with TemporaryDirectory() as place:
        folder = Path(place)
        native, small, scap = folder / "x.syscope", folder / "z.syscope", folder / "x.scap"
        count, _ = export(asked.capture, native, Choice())
        export(asked.capture, small, Choice(compress=True))
        export(asked.capture, scap, Choice())
        print(f"{asked.capture}: {count} events; .scap {os.path.getsize(scap)} bytes")
        print(f"size: native to .scap {ratio(native, scap)}, deflated native to .scap {ratio(small, scap)}")
        for name, first_view in (("to open", False), ("to open and make the files view", True)):
            times = median(asked.rounds, *(partial(opening, path, first_view) for path in (scap, native, small)))
            shown = ", ".join(
                f"{kind} {seconds * 1000:.1f} ms"
                for kind, seconds in zip((".scap", "native", "deflated"), times, strict=True)
            )
            print(f"{name}: {shown}; .scap to native {times[0] / times[1]:.1f}")
        source = open_capture(asked.capture)
        if source.single:
            recording(asked.capture, folder, asked.rounds)
        source.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
