"""Reading a .scap capture: blocks out of a byte stream (scap-format §1 to §3).

Owns framing, the order of blocks, and what is done about damage. Events go to the sink many at a time, in the
bytes as they are; the other blocks go to it as facts (``metadata``).
"""

from __future__ import annotations

import struct

from engine.decode.stop import Stop
from engine.model.facts import User
from engine.sources import blocks, metadata
from engine.sources.sink import Sink
from engine.sources.stream import Stream
from engine.store.store import Damage, RawBytes

CHUNK = 1 << 22
"""Bytes read at once."""
MOST_DAMAGE = 100
"""Reading ends after so many damaged places."""

_SECTION_HEADER = struct.Struct("<IIIHH")
_BYTE_ORDER, _OTHER_BYTE_ORDER = 0x1A2B3C4D, 0x4D3C2B1A
_MAJOR = 1
_MARGIN = 1 << 16
"""Bytes no event is longer than, nor a recovered interface list beyond its length."""


class CaptureError(Exception):
    """Nothing can be read of a file; the message names it, the offset and what was expected."""


class ScapSource:
    """A capture file being read."""

    single = False

    def __init__(self, path: str, stream: Stream) -> None:
        """Read the first chunk; raises CaptureError when it does not begin as a capture, OSError when unreadable."""
        self._path = path
        self._stream = stream
        self._buffer = bytearray(CHUNK)
        self._base = 0  # stream offset of the buffer's first byte
        self._at = 0  # index of the next block
        self._filled = 0
        self._complete = False  # the stream is used up
        self._ended = False
        self._lost: tuple[int, str] | None = None  # offset and expectation, while looking for the next sound block
        self._read_on()
        if not self._filled:
            raise CaptureError(f"{path}: expected a capture, found an empty file")
        if wrong := self._wrong_section(0):
            raise CaptureError(f"{path}: at byte 0: {wrong}")

    @property
    def raw(self) -> RawBytes:
        """The stream read so far, for reading again."""
        return self._stream.raw

    @property
    def progress(self) -> float:
        """How much of the file was read, 0 to 1."""
        return 1.0 if self._ended else self._stream.progress

    def interrupt(self) -> None:
        """Have a step that waits for a pipe end. From any thread."""
        self._stream.interrupt()

    def close(self) -> None:
        """Close the file. ``raw`` cannot be read any more."""
        self._stream.close()

    def step(self, sink: Sink) -> bool:
        """Hand on the next few MB; False when everything was, and the sink's events are sealed.

        Damage is added to ``sink.store.damage``: nothing a capture contains raises.
        """
        if self._ended:
            return False
        self._walk(sink)
        if not self._ended:
            if self._complete:
                self._finish(sink)
            else:
                try:
                    self._read_on()
                except OSError as error:
                    self._report(sink, self._base + self._filled, f"could not be read: {error.strerror}", ends=True)
        if self._ended:
            sink.seal()
        return not self._ended

    def _read_on(self) -> None:
        """Drop what was handled and fill the buffer; a block that fills half of it gets one twice as large."""
        rest = self._buffer[self._at : self._filled]
        if len(rest) > len(self._buffer) // 2:
            self._buffer = bytearray(2 * len(self._buffer))
        elif len(rest) <= CHUNK // 2 < CHUNK < len(self._buffer):
            self._buffer = bytearray(CHUNK)
        self._buffer[: len(rest)] = rest
        self._base += self._at
        self._at = 0
        self._filled = len(rest)
        got = self._stream.readinto(memoryview(self._buffer)[len(rest) :])
        self._filled += got
        self._complete = not got

    def _walk(self, sink: Sink) -> None:
        """Hand on what is complete in the buffer."""
        view = memoryview(self._buffer)[: self._filled]
        while not self._ended and (self._lost is None or self._find(sink)):
            stop, expected = Stop.OTHER, ""
            # What was listed is complete only when events follow.
            if self._is_event():
                self._at, stop, expected = sink.feed(view, self._base, self._at)
            if stop is Stop.LIMIT:
                self._ended = True
            elif stop is Stop.DAMAGE:
                if not self._mend(sink, expected):
                    self._lose(expected)
            elif not self._handle(sink, is_event=stop is Stop.MORE):
                break

    def _is_event(self) -> bool:
        """Whether the next block is an event, or nothing at all."""
        if self._at == self._filled:
            return self._complete
        return int.from_bytes(self._buffer[self._at : self._at + 4], "little") in blocks.EVENTS

    def _handle(self, sink: Sink, is_event: bool) -> bool:
        """Get past the next block; False when it is not complete in the buffer, as events here never are."""
        start = self._at
        if self._filled - start < blocks.FRAME.size:
            return False
        kind, length = blocks.FRAME.unpack_from(self._buffer, start)
        if not blocks.is_length(length):
            limits = f"a multiple of 4 from {blocks.SHORTEST} to {blocks.LONGEST}"
            self._lose(f"expected a block length that is {limits}, found {length}")
            return True
        end = start + length
        if is_event or end > self._filled:
            return False
        (trailer,) = blocks.TRAILER.unpack_from(self._buffer, end - blocks.TRAILER.size)
        if trailer != length:
            window_end = min(end + _MARGIN, self._filled)
            if window_end < end + _MARGIN and not self._complete:
                return False
            true_end = None
            if blocks.INTERFACE_LISTS.get(kind) == 2:
                true_end = metadata.interfaces_end(bytes(self._buffer[start:window_end]))
            expected = f"expected the block's length {length} again at its end, found {trailer}"
            if true_end is not None:
                end = start + true_end
            elif not self._mend(sink, expected):
                self._lose(expected)
                return True
        try:
            self._hand_on(sink, kind, bytes(self._buffer[start + blocks.FRAME.size : end - blocks.TRAILER.size]))
        except metadata.MalformedError as error:
            self._report(sink, self._base + start + blocks.FRAME.size + error.at, str(error))
        self._at = end
        return True

    def _hand_on(self, sink: Sink, kind: int, body: bytes) -> None:
        """Tell what a block says; one of an unknown number says nothing."""
        if kind == blocks.SECTION:
            if wrong := self._wrong_section(self._at):
                self._report(sink, self._base + self._at, wrong, ends=True)
            else:
                sink.section()
        elif kind in blocks.MACHINE:
            sink.machine(metadata.machine(body))
        elif kind in blocks.PROCESS_LISTS:
            for thread in metadata.threads(body, blocks.PROCESS_LISTS[kind]):
                sink.thread(thread)
        elif kind in blocks.FD_LISTS:
            for tid, fd in metadata.fds(body, blocks.FD_LISTS[kind]):
                sink.fd(tid, *fd)
        elif kind in blocks.INTERFACE_LISTS:
            for interface in metadata.interfaces(body, blocks.INTERFACE_LISTS[kind]):
                sink.interface(interface)
        elif kind in blocks.USER_LISTS:
            for each in metadata.users(body, blocks.USER_LISTS[kind]):
                if isinstance(each, User):
                    sink.user(each)
                else:
                    sink.group(each)

    def _wrong_section(self, at: int) -> str:
        """What is wrong with the section header at an index of the buffer, empty when nothing is."""
        if self._filled - at < _SECTION_HEADER.size:
            return f"expected a section header of at least {_SECTION_HEADER.size} bytes, found {self._filled - at}"
        kind, _, order, major, minor = _SECTION_HEADER.unpack_from(self._buffer, at)
        if kind != blocks.SECTION:
            return f"expected a capture's section header 0x{blocks.SECTION:08x}, found 0x{kind:08x}"
        if order == _OTHER_BYTE_ORDER:
            return "expected little-endian numbers, found a capture of a machine of the other byte order"
        if order != _BYTE_ORDER:
            return f"expected the byte order mark 0x{_BYTE_ORDER:08x}, found 0x{order:08x}"
        if major > _MAJOR:
            return f"expected format version {_MAJOR}, found {major}.{minor}"
        return ""

    def _mend(self, sink: Sink, expected: str) -> bool:
        """Where only the length at the next block's end is wrong, report that and put it right in the buffer."""
        _, length = blocks.FRAME.unpack_from(self._buffer, self._at)
        end = self._at + length
        if not blocks.is_length(length) or end > self._filled:
            return False
        trailer = end - blocks.TRAILER.size
        following = self._buffer[end : min(end + 4, self._filled)]
        if self._buffer[trailer:end] == blocks.TRAILER.pack(length):
            return False
        if len(following) == 4 and not blocks.is_known(int.from_bytes(following, "little")):
            return False
        self._report(sink, self._base + self._at, expected)
        blocks.TRAILER.pack_into(self._buffer, trailer, length)
        return True

    def _lose(self, expected: str) -> None:
        """Nothing can be made of the next block: search behind its start."""
        self._lost = self._base + self._at, expected
        self._at += 1

    def _find(self, sink: Sink) -> bool:
        """Search the rest of the buffer for a sound block; where there is one, reading goes on."""
        assert self._lost is not None
        found = blocks.find(self._buffer, self._at, self._filled)
        if found is None:
            self._at = max(self._at, self._filled - _MARGIN)
            return False
        self._at = found
        offset, expected = self._lost
        self._lost = None
        self._report(sink, offset, f"{expected}; reading goes on at byte {self._base + found}")
        return not self._ended

    def _finish(self, sink: Sink) -> None:
        """The stream is used up: say what is missing at its end, if anything."""
        left = self._filled - self._at
        if self._lost is not None:
            self._report(sink, *self._lost, ends=True)
        elif left > _MARGIN:
            # More than a cut event: the length is wrong, and sound blocks may follow.
            self._lose(f"expected a block that ends in the file, found one longer than the {left} bytes left")
        elif left or self._stream.trouble:
            trouble = f" ({self._stream.trouble})" if self._stream.trouble else ""
            self._report(sink, self._base + self._at, f"expected {self._missing(left)}{trouble}", ends=True)
        else:
            self._ended = True

    def _missing(self, left: int) -> str:
        """What the stream should have gone on with after ``left`` bytes of a block."""
        if left == 0:
            return "the capture to go on"
        if left < blocks.FRAME.size:
            return f"a block's header of {blocks.FRAME.size} bytes, found {left}"
        _, length = blocks.FRAME.unpack_from(self._buffer, self._at)
        return f"a block of {length} bytes, found {left}"

    def _report(self, sink: Sink, offset: int, expected: str, *, ends: bool = False) -> None:
        """Record damage at an offset of the stream."""
        sink.store.damage.append(Damage(self._path, offset, expected, ends))
        if ends:
            self._ended = True
        elif len(sink.store.damage) >= MOST_DAMAGE:
            self._report(
                sink, offset, f"expected less than {MOST_DAMAGE} damaged places; the rest is not read", ends=True
            )
