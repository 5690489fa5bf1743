"""The loops that make lines of many rows: pieces of text put one behind the other into a buffer (compiled).

Owns numbers, times of day, and texts kept in tables; ``recorded`` owns the parameters of events. Which pieces a line
has, and every text that is more than digits or plain ASCII, is made by those who build the pieces
(``engine.query.assembly``).
"""

# mypy reads pieces.pyi; annotations here are C types.
# ruff: noqa: D102, F821, SIM110 - what is private to C needs no docstring, and C knows no `in`

import cython
from cython.cimports.libc.stdlib import free, realloc
from cython.cimports.libc.string import memcpy, memset

if not cython.compiled:
    raise ImportError("engine.query.pieces must be compiled: run `make build`")

UNSEEN = object()
"""Stands in a table for a text that is not made yet."""

_REMEMBERED = cython.declare(cython.int, 1 << 16)
_DIGITS = cython.declare(cython.p_char, b"0123456789ABCDEF")


@cython.cclass
class Buffer:
    """Bytes that grow at their end."""

    def __dealloc__(self):
        free(self.data)

    @cython.cfunc
    @cython.exceptval(-1)
    def need(self, count: cython.Py_ssize_t) -> cython.int:
        """Make room for ``count`` bytes more."""
        if self.size + count > self.room:
            return self.grow(count)
        return 0

    @cython.cfunc
    @cython.exceptval(-1)
    def grow(self, count: cython.Py_ssize_t) -> cython.int:
        wanted: cython.Py_ssize_t = 2 * self.room + count + 65536
        data = cython.cast(cython.p_uchar, realloc(self.data, wanted))
        if data == cython.NULL:
            raise MemoryError
        self.data = data
        self.room = wanted
        return 0

    @cython.cfunc
    @cython.exceptval(-1)
    def put(self, start: cython.pointer(cython.const[cython.uchar]), count: cython.Py_ssize_t) -> cython.int:
        self.need(count)
        memcpy(self.data + self.size, start, count)
        self.size += count
        return 0

    @cython.cfunc
    @cython.exceptval(-1)
    def text(self, text: bytes) -> cython.int:
        return self.put(text, len(text))

    @cython.cfunc
    @cython.exceptval(-1)
    def byte(self, value: cython.uchar) -> cython.int:
        self.need(1)
        self.data[self.size] = value
        self.size += 1
        return 0

    @cython.cfunc
    @cython.exceptval(-1)
    def unsigned(self, value: cython.ulonglong, base: cython.uint, least: cython.int) -> cython.int:
        """A number in digits of a base, at least so many."""
        digits: cython.uchar[24]
        at: cython.int = 24
        while value or 24 - at < least:
            at -= 1
            digits[at] = _DIGITS[value % base]
            value //= base
        return self.put(cython.address(digits[at]), 24 - at)

    @cython.cfunc
    @cython.exceptval(-1)
    def signed(self, value: cython.longlong) -> cython.int:
        if value < 0:
            self.byte(45)
            return self.unsigned(0 - cython.cast(cython.ulonglong, value), 10, 1)
        return self.unsigned(value, 10, 1)

    @cython.cfunc
    def since(self, start: cython.Py_ssize_t) -> bytes:
        return self.data[start : self.size]


@cython.cfunc
@cython.exceptval(check=False)
def plain(start: cython.pointer(cython.const[cython.uchar]), count: cython.Py_ssize_t) -> cython.bint:
    """Printable ASCII alone."""
    i: cython.Py_ssize_t
    for i in range(count):
        if start[i] < 32 or start[i] > 126:
            return False
    return True


@cython.cclass
class Piece:
    """A part of a line."""

    @cython.cfunc
    @cython.exceptval(-1)
    def put(self, out: Buffer, i: cython.Py_ssize_t) -> cython.int:
        """Write what the piece says of row i of the batch: 1, or 0 and nothing written when it is absent."""
        return 0


@cython.cclass
class Literal(Piece):
    """The same text in every line."""

    _text: bytes

    def __init__(self, text: bytes) -> None:
        self._text = text

    @cython.cfunc
    @cython.exceptval(-1)
    def put(self, out: Buffer, i: cython.Py_ssize_t) -> cython.int:
        out.text(self._text)
        return 1


@cython.cclass
class Tabled(Piece):
    """Texts of the rows of a table, each made once: ``make(index)`` gives bytes, or None for an absent one."""

    _make: object
    _texts: list
    _index: cython.const[cython.int][::1]
    _made: cython.int

    def __init__(self, make: object) -> None:
        self._make = make
        self._texts = []
        self._made = 0

    def forget(self) -> None:
        """Make every text anew."""
        self._texts = []
        self._made = 0

    def begin(self, index: object, size: cython.Py_ssize_t) -> None:
        """The table's row for each row of the batch, -1 for none; ``size`` rows there are."""
        if self._made > _REMEMBERED:
            self.forget()
        self._index = index
        self._texts.extend([UNSEEN] * (size - len(self._texts)))

    @cython.cfunc
    @cython.exceptval(-1)
    def put(self, out: Buffer, i: cython.Py_ssize_t) -> cython.int:
        at: cython.int = self._index[i]
        if at < 0:
            return 0
        text = self._texts[at]
        if text is UNSEEN:
            text = self._texts[at] = self._make(at)
            self._made += 1
        if text is None:
            return 0
        out.text(text)
        return 1


@cython.cclass
class Counted(Piece):
    """Whole numbers of the rows."""

    _values: cython.const[cython.longlong][::1]
    _present: cython.const[cython.uchar][::1]
    _always: cython.bint

    def begin(self, values: object, present: object) -> None:
        """The number of each row, and where there is one (None: everywhere)."""
        self._values = values
        self._always = present is None
        if present is not None:
            self._present = present

    @cython.cfunc
    @cython.exceptval(-1)
    def put(self, out: Buffer, i: cython.Py_ssize_t) -> cython.int:
        if not self._always and not self._present[i]:
            return 0
        out.signed(self._values[i])
        return 1


@cython.cclass
class Asked(Piece):
    """Texts made one by one: ``make(i)`` gives bytes, or None for an absent one."""

    _make: object

    def __init__(self, make: object) -> None:
        self._make = make

    @cython.cfunc
    @cython.exceptval(-1)
    def put(self, out: Buffer, i: cython.Py_ssize_t) -> cython.int:
        text = self._make(i)
        if text is None:
            return 0
        out.text(text)
        return 1


@cython.cclass
class Fitted(Piece):
    """A piece cut or padded to a number of cells; ``fit(bytes)`` does it for what is not plain ASCII."""

    _piece: Piece
    _width: cython.Py_ssize_t
    _missing: bytes
    _fit: object

    def __init__(self, piece: Piece, width: cython.Py_ssize_t, missing: object, fit: object) -> None:
        self._piece = piece
        self._width = width
        self._missing = missing
        self._fit = fit

    @cython.cfunc
    @cython.exceptval(-1)
    def put(self, out: Buffer, i: cython.Py_ssize_t) -> cython.int:
        start: cython.Py_ssize_t = out.size
        if not self._piece.put(out, i):
            if self._missing is None:
                return 0
            out.text(self._missing)
        if not plain(out.data + start, out.size - start):
            text: bytes = self._fit(out.since(start))
            out.size = start
            out.text(text)
            return 1
        padding: cython.Py_ssize_t = self._width - (out.size - start)
        if padding > 0:
            out.need(padding)
            memset(out.data + out.size, 32, padding)
        out.size = start + self._width
        return 1


@cython.cclass
class Clocked(Piece):
    """The time of each row in one of five ways (``engine.query.lines.Clock``); ``day(second)`` gives ``HH:MM:SS``."""

    _style: cython.int
    _day: object
    _times: cython.const[cython.longlong][::1]
    _latencies: cython.const[cython.longlong][::1]
    _second: cython.longlong
    _shown: bytes
    _began: cython.bint
    _first: cython.longlong
    _previous: cython.longlong

    def __init__(self, style: cython.int, day: object) -> None:
        self._style = style
        self._day = day
        self._second = -1
        self._shown = b""
        self._began = False

    def begin(self, times: object, latencies: object, first: cython.longlong) -> None:
        """Time stamps and latencies of the rows, and the time stamp of the first event of all, ns."""
        self._times = times
        self._latencies = latencies
        self._first = first

    @cython.cfunc
    @cython.exceptval(-1)
    def put(self, out: Buffer, i: cython.Py_ssize_t) -> cython.int:
        now: cython.longlong = self._times[i]
        span: cython.longlong
        if self._style == 0:
            second: cython.longlong = now // 1000000000
            if now < second * 1000000000:
                second -= 1
            if second != self._second:
                self._shown = self._day(second)
                self._second = second
            out.text(self._shown)
            out.byte(46)
            out.unsigned(now - second * 1000000000, 10, 9)
            return 1
        if self._style == 1:
            span = now
        elif self._style == 2:
            span = now - self._first
        elif self._style == 3:
            span = self._latencies[i]
        else:
            span = now - self._previous if self._began else 0
        span = max(span, 0)
        out.unsigned(span // 1000000000, 10, 1)
        out.byte(46)
        out.unsigned(span % 1000000000, 10, 9)
        return 1

    @cython.cfunc
    @cython.exceptval(check=False)
    def shown(self, i: cython.Py_ssize_t) -> cython.void:
        """The line of row i is kept."""
        self._began = True
        self._previous = self._times[i]


@cython.cclass
class Quoted(Piece):
    """A piece that puts text as captured, as a JSON text; ``escape(bytes)`` does it for what is not plain ASCII."""

    _piece: Piece
    _escape: object
    _scratch: Buffer

    def __init__(self, piece: Piece, escape: object) -> None:
        self._piece = piece
        self._escape = escape
        self._scratch = Buffer()

    @cython.cfunc
    @cython.exceptval(-1)
    def put(self, out: Buffer, i: cython.Py_ssize_t) -> cython.int:
        scratch: Buffer = self._scratch
        scratch.size = 0
        if not self._piece.put(scratch, i):
            return 0
        out.byte(34)
        if plain(scratch.data, scratch.size):
            out.need(2 * scratch.size)
            byte: cython.uchar
            for j in range(scratch.size):
                byte = scratch.data[j]
                if byte == 34 or byte == 92:
                    out.data[out.size] = 92
                    out.size += 1
                out.data[out.size] = byte
                out.size += 1
        else:
            out.text(self._escape(scratch.since(0)))
        out.byte(34)
        return 1


def assemble(pieces: list, clock: Clocked, rows: cython.Py_ssize_t, missing: object) -> tuple:
    """A line of the pieces for each row of the batch, and how many lines there are.

    ``missing`` stands for an absent piece; None leaves its whole line out. ``clock`` is told of every line kept.
    """
    out: Buffer = Buffer()
    i: cython.Py_ssize_t
    start: cython.Py_ssize_t
    made: cython.Py_ssize_t = 0
    piece: Piece
    for i in range(rows):
        start = out.size
        for piece in pieces:
            if not piece.put(out, i):
                if missing is None:
                    break
                out.text(missing)
        else:
            out.byte(10)
            clock.shown(i)
            made += 1
            continue
        out.size = start
    return out.since(0), made
