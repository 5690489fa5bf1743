"""Fields of the event itself: its number, type, result, payload and parameters, and what kind of open it is.

Numbers come from the columns, a segment at a time; what needs the raw record is late.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from engine.decode.event import Event
from engine.decode.parameters import whole_numbers
from engine.events import CATALOGUE, ERRNO, FLAG_TABLES, Category, EventType, FdKind, Trait
from engine.fields.columns import OPENS, by_type, failed, of_fd_rows, truth
from engine.fields.fd import NET, PATHS
from engine.fields.field import Argument, Field, FieldType, Numbers, Place, Value
from engine.fields.render import argument_text, argument_value, arguments, payload, place_of
from engine.fields.syslog import is_log
from engine.store.segment import NO_RESULT, Segment
from engine.store.store import Store

TEXT, INTEGER, ID, BOOL = FieldType.TEXT, FieldType.INTEGER, FieldType.ID, FieldType.BOOL
_IO = (Category.IO_READ, Category.IO_WRITE, Category.IO_OTHER)
_BY_FD = Trait.READS_FROM_FD | Trait.WRITES_TO_FD

# --- categories --------------------------------------------------------------------------------------------

_CATEGORY_WORDS = {category: category.name.lower().encode() for category in Category} | {Category.IPC: b"IPC"}
_IPC_FD = 512
"""Code of I/O on pipes and the like, whose word is lower-case."""
_CATEGORY_OF_KIND = (
    dict.fromkeys(PATHS, int(Category.FILE))
    | dict.fromkeys(NET, int(Category.NET))
    | dict.fromkeys((FdKind.FIFO, FdKind.UNIX, FdKind.EVENT, FdKind.SIGNALFD, FdKind.INOTIFY), _IPC_FD)
)
_BY_TYPE = np.array([-1 if kind.category in _IO else kind.category for kind in CATALOGUE], np.int64)
_BY_KIND = np.array([_CATEGORY_OF_KIND.get(kind, int(Category.UNKNOWN)) for kind in (*FdKind, -1)], np.int64)
"""The last entry, for -1, is that of events without an fd."""
_OF_FDS = frozenset(_BY_KIND.tolist())


def _category(segment: Segment, store: Store, _: str | None) -> Numbers:
    codes = _BY_TYPE[segment.type]
    return Numbers(np.where(codes < 0, _BY_KIND[of_fd_rows(segment, store, "kind")[0]], codes))


def _categories(kind: EventType) -> frozenset[int]:
    code = int(_BY_TYPE[kind.code])
    return _OF_FDS if code < 0 else frozenset({code})


def _category_word(code: int) -> bytes:
    return b"ipc" if code == _IPC_FD else _CATEGORY_WORDS[Category(code)]


# --- results -----------------------------------------------------------------------------------------------


def _result(segment: Segment, *_: object) -> Numbers:
    return Numbers(segment.result, segment.result != NO_RESULT)


def _error(segment: Segment, *_: object) -> Numbers:
    """The errno of failed calls, 0 of everything else."""
    return Numbers(np.where(failed(segment), -segment.result, 0))


def error_word(code: int) -> bytes:
    """``SUCCESS``, the name of an errno, or the number of one without a name."""
    return ERRNO.get(code, str(code)).encode() if code else b"SUCCESS"


# --- opens -------------------------------------------------------------------------------------------------

_FLAGS = dict(FLAG_TABLES["file_flags"])
_READS, _WRITES = _FLAGS["O_RDONLY"], _FLAGS["O_WRONLY"]
_NEW = _FLAGS["O_CREAT"] | _FLAGS["O_TMPFILE"]
_EXECUTE = 0o111


def _places(parameter: str) -> NDArray[np.int32]:
    """Where the exits of opens have a parameter, by type code; -1 elsewhere."""
    indexes = (kind.index(parameter) if kind.is_exit and kind.name in OPENS else None for kind in CATALOGUE)
    return np.array([-1 if index is None else index for index in indexes], np.int32)


_FLAGS_AT, _MODE_AT = _places("flags"), _places("mode")


def _of_opens(segment: Segment, store: Store, places: NDArray[np.int32]) -> NDArray[np.int64]:
    """A parameter of opens; 0 where it is missing and for all other events."""
    values = np.zeros(len(segment), np.int64)
    rows = np.flatnonzero(places[segment.type] >= 0)
    values[rows] = np.maximum(whole_numbers(store, segment, rows, places[segment.type[rows]]), 0)
    return values


def _opens_for(flag: int) -> Callable[..., Numbers]:
    return lambda segment, store, _: truth(_of_opens(segment, store, _FLAGS_AT) & flag != 0)


def _creates(segment: Segment, store: Store, _: str | None) -> Numbers:
    flags = _of_opens(segment, store, _FLAGS_AT)
    unnamed = (flags & _FLAGS["O_TMPFILE"] != 0) & (segment.result >= 0)
    return truth((flags & _FLAGS["O_F_CREATED"] != 0) | unnamed)


_CREATS = by_type(lambda kind: kind.name == "creat")


def _makes_executable(segment: Segment, store: Store, _: str | None) -> Numbers:
    new = (_of_opens(segment, store, _FLAGS_AT) & _NEW != 0) | _CREATS[segment.type]
    return truth(new & (_of_opens(segment, store, _MODE_AT) & _EXECUTE != 0))


# --- happenings that are no calls --------------------------------------------------------------------------


def _asynchronous(event: Event, _: str | None) -> Value:
    return argument_text(event, "name") if event.type.name == "asyncevent" else None


def _docker(key: str) -> Callable[[Event, str | None], Value]:
    """What follows a key in the description of a Docker engine's event: ``Event: start; ID: …; Image: …; name: …``."""

    def value(event: Event, _: str | None) -> Value:
        told = argument_text(event, "description") if event.type.name == "infra" else None
        if not isinstance(told, bytes):
            return None
        parts = (part.strip().partition(b":") for part in told.split(b";"))
        found = next((rest.strip() for head, _, rest in parts if head == key.encode()), None)
        return found if found is None or key != "ID" else found[:12]

    return value


def _hostname(event: Event, _: str | None) -> Value:
    machine = event.store.machine
    return None if machine is None else machine.hostname or None


def _syslog(segment: Segment, store: Store, _: str | None) -> Numbers:
    writes = _WRITERS[segment.type] & (segment.fd_row >= 0)
    identities, fds = store.fds.rows["identity"], store.fds.identities
    logs = [row for row in np.unique(segment.fd_row[writes]).tolist() if is_log(fds[identities[row]])]
    return truth(writes & np.isin(segment.fd_row, logs))


_WRITERS = by_type(lambda kind: bool(kind.traits & Trait.WRITES_TO_FD))


def _direction(kind: EventType) -> bytes | None:
    if kind.traits & Trait.WRITES_TO_FD:
        return b"write"
    return b"read" if kind.traits & Trait.READS_FROM_FD else None


_event = partial(Field, place=Place.EVENT, group="event")
_bool = partial(_event, type=BOOL)
_type = partial(Field, place=Place.TYPE, group="event")
_late = partial(Field, place=Place.LATE, group="event")
_infra = partial(_late, types=lambda kind: kind.name == "infra")
_PARAMETERS = frozenset(parameter.name for kind in CATALOGUE for parameter in kind.params)

FIELDS = (
    _event(
        "evt.num",
        ID,
        "number of the event in the capture, hidden ones counted",
        lambda s, *_: Numbers(np.arange(s.first + 1, s.first + 1 + len(s))),
        example="evt.num in (23, 24)",
    ),
    _event("evt.cpu", ID, "CPU the event was recorded on", lambda s, *_: Numbers(s.cpu.astype(np.int64))),
    _type(
        "evt.dir",
        TEXT,
        "> of enters, < of exits",
        lambda kind, _: b"<" if kind.is_exit else b">",
        deprecated="newer captures have exits only",
        example="evt.dir = <",
    ),
    _type(
        "evt.type",
        TEXT,
        "name of the event, mostly of the system call",
        lambda kind, _: kind.name.encode(),
        example="evt.type in (open, openat, openat2)",
    ),
    _type(
        "evt.type.is",
        INTEGER,
        "1 for events of type number [N], else 0",
        lambda kind, number: int(kind.code == int(number or 0)),
        argument=Argument.REQUIRED,
        takes="N",
        whole_argument=True,
        example="evt.type.is[3] = 1",
    ),
    _type(
        "syscall.type",
        TEXT,
        "name of the system call, absent for other events",
        lambda kind, _: kind.name.encode() if kind.is_syscall else None,
        group="syscall",
        example="syscall.type exists",
    ),
    _event(
        "evt.category",
        TEXT,
        "what the event is about: file, net, ipc, memory, process …",
        _category,
        words=_category_word,
        codes=_categories,
        example="evt.category = net",
    ),
    _late("evt.args", TEXT, "all parameters, name=value", lambda e, _: arguments(e)),
    _late("evt.info", TEXT, "all parameters, name=value", lambda e, _: arguments(e)),
    _late(
        "evt.arg",
        TEXT,
        "one parameter as text, by [NAME] or [N]",
        argument_text,
        argument=Argument.REQUIRED,
        takes="NAME or N",
        named=_PARAMETERS,
        parameter=place_of,
        example="evt.arg.flags contains O_CREAT",
    ),
    _late(
        "evt.rawarg",
        INTEGER,
        "one parameter as it is, number or text, by [NAME]",
        argument_value,
        argument=Argument.REQUIRED,
        takes="NAME",
        named=_PARAMETERS,
        parameter=place_of,
        example="evt.rawarg.res > 100",
    ),
    _late(
        "evt.buffer",
        FieldType.BYTES,
        "captured payload of reads and writes",
        lambda e, _: payload(e),
        parameter=lambda kind, _: kind.index("data"),
        example='evt.buffer contains "HTTP/1.1 500"',
    ),
    _event("evt.rawres", INTEGER, "result of a call, negative errno of failures", _result, example="evt.rawres = -2"),
    _event("evt.res", TEXT, "SUCCESS or the name of the error", _error, words=error_word, example="evt.res = ENOENT"),
    _bool("evt.failed", meaning="true for calls that returned an error", value=lambda s, *_: truth(failed(s))),
    _type("evt.is_io", BOOL, "true for calls that read or write", lambda kind, _: bool(kind.traits & _BY_FD)),
    _type("evt.is_io_read", BOOL, "true for reads", lambda kind, _: bool(kind.traits & Trait.READS_FROM_FD)),
    _type("evt.is_io_write", BOOL, "true for writes", lambda kind, _: bool(kind.traits & Trait.WRITES_TO_FD)),
    _type("evt.io_dir", TEXT, "read or write, of calls that do", lambda kind, _: _direction(kind)),
    _type("evt.is_wait", BOOL, "true for calls that wait", lambda kind, _: bool(kind.traits & Trait.WAITS)),
    _bool("evt.is_syslog", meaning="true for writes to the system log (/dev/log)", value=_syslog),
    _bool("evt.is_open_read", meaning="true for opening a file to read it", value=_opens_for(_READS)),
    _bool(
        "evt.is_open_write",
        meaning="true for opening a file to write it",
        value=_opens_for(_WRITES),
        example="evt.is_open_write = true and fd.name startswith /etc",
    ),
    _bool("evt.is_open_exec", meaning="true for creating a file that may be executed", value=_makes_executable),
    _bool("evt.is_open_create", meaning="true for opening a file that was created by that", value=_creates),
    _type(
        "evt.is_async",
        BOOL,
        "true for events of plugins, injected between those of the kernel",
        lambda kind, _: kind.name == "asyncevent",
    ),
    _late(
        "evt.asynctype",
        TEXT,
        "kind of an event of a plugin",
        _asynchronous,
        types=lambda kind: kind.name == "asyncevent",
    ),
    _type("evt.source", TEXT, "where events come from, always syscall", lambda *_: b"syscall"),
    _late(
        "evt.hostname",
        TEXT,
        "name of the machine the capture was made on",
        _hostname,
        same=lambda segment, *_: np.zeros(len(segment), np.int64),
    ),
    _infra("evt.infra.docker.name", TEXT, "what a Docker engine's event says happened", _docker("Event")),
    _infra("evt.infra.docker.container.id", TEXT, "container of a Docker engine's event, 12 digits", _docker("ID")),
    _infra("evt.infra.docker.container.name", TEXT, "container name in a Docker engine's event", _docker("name")),
    _infra("evt.infra.docker.container.image", TEXT, "image in a Docker engine's event", _docker("Image")),
    _event(
        "util.cnt",
        ID,
        "a number that grows with each event: evt.num",
        lambda s, *_: Numbers(np.arange(s.first + 1, s.first + 1 + len(s))),
        group="util",
    ),
)
