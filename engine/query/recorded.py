"""The parameters of events as text, cut out of their raw records, many rows at once (compiled; scap-format §9).

Owns cutting records and the commonest kinds of values; ``engine.query.parameters`` says which kind a parameter is, and
makes every other text. Nothing outside of a record is read, whatever the record says.
"""

# mypy reads recorded.pyi; annotations here are C types.
# ruff: noqa: D102, F821, SIM109 - what is private to C needs no docstring, and C knows no `in`

import cython
from cython.cimports.engine.query.pieces import Buffer, Piece, plain
from cython.cimports.libc.string import memchr, memcmp, memcpy

from engine.query.pieces import UNSEEN

if not cython.compiled:
    raise ImportError("engine.query.recorded must be compiled: run `make build`")

_REMEMBERED = cython.declare(cython.int, 1 << 16)


@cython.cclass
class Parameter:
    """How one parameter of an event type becomes text."""

    _name: bytes
    _missing: bytes
    _kind: cython.int
    _place: cython.int
    _memo: dict
    _render: object

    def __init__(self, name: bytes, missing: bytes, kind: cython.int, place: cython.int, render: object) -> None:
        """``name`` with its equals sign; ``missing`` stands for an empty value; ``place`` is its index in the event.

        ``render`` gives, for NAMED, RESULT and DESCRIPTOR ones, what a number stands for, in parentheses or nothing
        (of descriptors only if negative); for REMEMBERED ones the text of bytes; for ASKED ones that of (row, bytes);
        for PATH and PATH_AT ones that of a relative path: (thread row, fd identity of its directory, bytes), where
        WORKING stands for the working directory and -1 for one that is not known.
        """
        self._name = name
        self._missing = missing
        self._kind = kind
        self._place = place
        self._render = render
        self._memo = {}

    @cython.cfunc
    def remembered(self, key: object) -> bytes:
        text = self._memo.get(key)
        if text is None:
            if len(self._memo) >= _REMEMBERED:
                self._memo.clear()
            text = self._memo[key] = self._render(key)
        return text


@cython.cclass
class Parameters(Piece):
    """All parameters of each event, ``name=value(meaning)`` and a blank after each.

    ``plan(code)`` gives the Parameters of a type, None for those that print nothing; ``whole(i)`` the text of a row
    whose record must be looked at in another way; ``tag(identity)`` what an fd stands for, in parentheses;
    ``clean(bytes)`` makes safe text of what is not plain ASCII, None when that is done later; ``payload(bytes)`` is
    the text of captured data, None for dots, cut to ``limit`` characters. By type: ``wide``, lengths take four bytes;
    ``counts``, how many parameters there may be, descending, then -1; ``over``, bytes old writers counted too much.
    """

    _plan: object
    _whole: object
    _tag: object
    _clean: object
    _payload: object
    _limit: cython.Py_ssize_t
    _plans: list
    _tags: list
    _made: cython.int
    _data: cython.const[cython.uchar][::1]
    _begins: cython.const[cython.longlong][::1]
    _ends: cython.const[cython.longlong][::1]
    _types: cython.const[cython.ushort][::1]
    _numbers: cython.const[cython.int][::1]
    _identities: cython.const[cython.int][::1]
    _threads: cython.const[cython.int][::1]
    _rows: cython.const[cython.longlong][::1]
    _other_rows: cython.const[cython.int][::1]
    _other_places: cython.const[cython.ushort][::1]
    _other_identities: cython.const[cython.int][::1]
    _directory: cython.longlong
    _wide: cython.const[cython.uchar][::1]
    _counts: cython.const[cython.schar][:, ::1]
    _over: cython.const[cython.uchar][::1]

    def __init__(
        self,
        plan: object,
        whole: object,
        tag: object,
        clean: object,
        payload: object,
        limit: cython.Py_ssize_t,
        wide: object,
        counts: object,
        over: object,
    ) -> None:
        self._plan = plan
        self._whole = whole
        self._tag = tag
        self._clean = clean
        self._payload = payload
        self._limit = limit
        self._plans = []
        self._tags = []
        self._made = 0
        self._wide = wide
        self._counts = counts
        self._over = over

    def forget(self) -> None:
        """Make every text anew."""
        self._tags = []
        self._made = 0
        self._plans = []

    def begin(
        self,
        data: object,
        begins: object,
        ends: object,
        types: object,
        numbers: object,
        identities: object,
        threads: object,
        rows: object,
        others: tuple,
        size: cython.Py_ssize_t,
    ) -> None:
        """Records of the rows: where they begin and end in ``data``, negative for none; type codes, fd numbers, fd
        identities, -1 for none, of ``size`` there are, thread rows, and rows of the segment; of other fds in the
        segment the row, ascending, the place, and the identity."""
        self._threads = threads
        self._rows = rows
        self._other_rows, self._other_places, self._other_identities = others
        self._data = data
        self._begins = begins
        self._ends = ends
        self._types = types
        self._numbers = numbers
        self._identities = identities
        if self._made > _REMEMBERED:
            self.forget()
        self._tags.extend([UNSEEN] * (size - len(self._tags)))

    @cython.cfunc
    @cython.exceptval(-1)
    def put(self, out: Buffer, i: cython.Py_ssize_t) -> cython.int:
        at: cython.longlong = self._begins[i]
        end: cython.longlong = self._ends[i]
        type_: cython.uint = self._types[i]
        kind: cython.uint = 0
        count: cython.uint = 0
        length: cython.uint = 0
        code: cython.ushort = 0
        short: cython.ushort = 0
        wide: cython.bint
        value: cython.longlong
        j: cython.uint
        while len(self._plans) <= cython.cast(cython.Py_ssize_t, type_):
            self._plans.append(UNSEEN)
        plan = self._plans[type_]
        if plan is UNSEEN:
            plan = self._plans[type_] = self._plan(type_)
        if plan is None:
            return 1
        if at < 0 or end > self._data.shape[0] or end - at < 40:
            return self.odd(out, i)
        memcpy(cython.address(kind), cython.address(self._data[at]), 4)
        at += 14 if kind == 0x208 or kind == 0x217 or kind == 0x222 else 10
        memcpy(cython.address(code), cython.address(self._data[at + 20]), 2)
        if code >= self._wide.shape[0]:
            return self.odd(out, i)
        if kind == 0x204 or kind == 0x208 or kind == cython.cast(cython.uint, 0x8010ABCD):
            count = self.counted(code, at, end)
            wide = False
            at += 22
        else:
            memcpy(cython.address(count), cython.address(self._data[at + 22]), 4)
            wide = self._wide[code]
            at += 26
        if count > 65535:
            return self.odd(out, i)
        value = at + (4 if wide else 2) * cython.cast(cython.longlong, count)
        if value > end:
            return self.odd(out, i)
        params: list = plan
        for j in range(min(count, cython.cast(cython.uint, len(params)))):
            if wide:
                memcpy(cython.address(length), cython.address(self._data[at + 4 * j]), 4)
            else:
                memcpy(cython.address(short), cython.address(self._data[at + 2 * j]), 2)
                length = short
            if value + length > end:
                length = cython.cast(cython.uint, end - value)
            parameter: Parameter = params[j]
            out.text(parameter._name)
            if length == 0:
                out.text(parameter._missing)
            else:
                self.value(out, i, parameter, cython.address(self._data[value]), length)
            out.byte(32)
            value += length
        return 1

    @cython.cfunc
    @cython.exceptval(check=False)
    def counted(self, code: cython.ushort, at: cython.longlong, end: cython.longlong) -> cython.uint:
        """Parameters of an event that does not tell their number: the largest number that adds up."""
        told: cython.uint = 0
        short: cython.ushort = 0
        total: cython.longlong
        j: cython.int
        k: cython.int
        memcpy(cython.address(told), cython.address(self._data[at + 16]), 4)
        for k in range(self._counts.shape[1]):
            if self._counts[code, k] < 0:
                break
            total = 22 + 2 * self._counts[code, k]
            if at + total > end:
                continue
            for j in range(self._counts[code, k]):
                memcpy(cython.address(short), cython.address(self._data[at + 22 + 2 * j]), 2)
                total += short
            if total == told - cython.cast(cython.longlong, self._over[code]):
                return self._counts[code, k]
        return 0

    @cython.cfunc
    @cython.exceptval(-1)
    def odd(self, out: Buffer, i: cython.Py_ssize_t) -> cython.int:
        out.text(self._whole(i))
        return 1

    @cython.cfunc
    @cython.exceptval(-1)
    def safely(
        self, out: Buffer, start: cython.pointer(cython.const[cython.uchar]), count: cython.Py_ssize_t
    ) -> cython.int:
        """Captured bytes, made safe here or later."""
        if self._clean is None or plain(start, count):
            return out.put(start, count)
        return out.text(self._clean(start[:count]))

    @cython.cfunc
    @cython.exceptval(-1)
    def value(
        self,
        out: Buffer,
        i: cython.Py_ssize_t,
        parameter: Parameter,
        start: cython.pointer(cython.const[cython.uchar]),
        length: cython.Py_ssize_t,
    ) -> cython.int:
        kind: cython.int = parameter._kind
        number: cython.ulonglong = 0
        signed: cython.longlong
        text: bytes
        if kind <= DESCRIPTOR and kind != ASKED:
            size: cython.Py_ssize_t = length if length < 8 else 8
            memcpy(cython.address(number), start, size)
            if kind == UNSIGNED and size < 8:
                return out.unsigned(number, 10, 1)
            if kind == HEX:
                return out.unsigned(number, 16, 1)
            if kind == OCTAL or kind == NAMED_OCTAL:
                if number:
                    out.byte(48)
                out.unsigned(number, 8, 1)
            elif kind == NAMED:
                out.unsigned(number, 10, 1)
            else:
                signed = cython.cast(cython.longlong, number)
                if size < 8 and number >> (8 * size - 1):
                    signed = cython.cast(cython.longlong, number | (~cython.cast(cython.ulonglong, 0) << (8 * size)))
                out.signed(signed)
                if kind == RESULT and signed < 0:
                    out.text(parameter.remembered(signed))
                elif kind == DESCRIPTOR:
                    self._directory = signed
                    self.descriptor(out, i, parameter, signed)
                return 0
            if kind == NAMED or kind == NAMED_OCTAL:
                out.text(parameter.remembered(number))
            return 0
        if kind == STRING or ((kind == PATH or kind == PATH_AT) and start[0] == 47):
            ends: cython.pointer(cython.const[cython.uchar]) = cython.cast(
                cython.pointer(cython.const[cython.uchar]), memchr(start, 0, length)
            )
            if ends != cython.NULL:
                length = ends - start
            if length == 6 and memcmp(start, b"(NULL)", 6) == 0:
                return out.text(b"<NA>")
            return self.safely(out, start, length)
        if kind == PAYLOAD:
            if self._payload is not None:
                return out.text(self._payload(start[:length]))
            return self.dotted(out, start, length)
        if kind == REMEMBERED:
            text = parameter.remembered(start[:length])
        elif kind == PATH or kind == PATH_AT:
            base: cython.int = WORKING
            if kind == PATH_AT and self._directory != -100:
                base = self.identity(i, self._directory, parameter._place - 1)
            text = parameter._render(self._threads[i], base, start[:length])
        else:
            text = parameter._render(i, start[:length])
        return self.safely(out, text, len(text))

    @cython.cfunc
    @cython.exceptval(-1)
    def dotted(
        self, out: Buffer, start: cython.pointer(cython.const[cython.uchar]), length: cython.Py_ssize_t
    ) -> cython.int:
        """Data with a dot for everything that is not printable ASCII, three more where it is cut."""
        cut: cython.bint = 0 < self._limit < length
        i: cython.Py_ssize_t
        if cut:
            length = self._limit - 3
        out.need(length)
        for i in range(length):
            out.data[out.size + i] = start[i] if 32 <= start[i] < 127 else 46
        out.size += length
        if cut:
            out.text(b"...")
        return 0

    @cython.cfunc
    @cython.exceptval(check=False)
    def identity(self, i: cython.Py_ssize_t, number: cython.longlong, place: cython.int) -> cython.int:
        """What the descriptor in a place of an event stands for, -1 when that is not known."""
        if number == self._numbers[i]:
            return self._identities[i]
        row: cython.longlong = self._rows[i]
        low: cython.Py_ssize_t = 0
        high: cython.Py_ssize_t = self._other_rows.shape[0]
        middle: cython.Py_ssize_t
        while low < high:
            middle = (low + high) // 2
            if self._other_rows[middle] < row:
                low = middle + 1
            else:
                high = middle
        while low < self._other_rows.shape[0] and self._other_rows[low] == row:
            if self._other_places[low] == place:
                return self._other_identities[low]
            low += 1
        return -1

    @cython.cfunc
    @cython.exceptval(-1)
    def descriptor(
        self, out: Buffer, i: cython.Py_ssize_t, parameter: Parameter, number: cython.longlong
    ) -> cython.int:
        """What an fd number stands for, behind it."""
        text: bytes
        if number < 0:
            return out.text(parameter.remembered(number))
        identity: cython.int = self.identity(i, number, parameter._place)
        if identity < 0:
            return 0
        tag = self._tags[identity]
        if tag is UNSEEN:
            tag = self._tags[identity] = self._tag(identity)
            self._made += 1
        text = tag
        return self.safely(out, text, len(text))
