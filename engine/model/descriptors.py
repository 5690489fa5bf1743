"""Descriptors that are neither opened files nor sockets, and calls that move or close several.

Owns the rules of pipes, event-like descriptors, memfds and pidfds (state-tracking §4). Opening, closing and
duplicating, which are frequent, are the decoder's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from engine.events import FLAG_TABLES, FdKind
from engine.model.call import NO_NUMBER, Call
from engine.model.live import Live
from engine.store.store import Store

_O_CLOEXEC = dict(FLAG_TABLES["file_flags"])["O_CLOEXEC"]
_EPOLL_CLOEXEC = dict(FLAG_TABLES["epoll_create1_flags"])["EPOLL_CLOEXEC"]
_RANGE_CLOEXEC = dict(FLAG_TABLES["close_range_flags"])["CLOSE_RANGE_CLOEXEC"]
_BPF = dict(FLAG_TABLES["bpf_commands"])
_BPF_MAKES_FD = {
    number
    for name, number in _BPF.items()
    if name.endswith(("_CREATE", "_LOAD", "_OBJ_GET", "_GET_FD_BY_ID", "_OPEN", "_STATS"))
}
_MAKES = {
    FdKind.EVENT: ("eventfd", "eventfd2"),
    FdKind.SIGNALFD: ("signalfd", "signalfd4"),
    FdKind.TIMERFD: ("timerfd_create",),
    FdKind.INOTIFY: ("inotify_init", "inotify_init1"),
    FdKind.EVENTPOLL: ("epoll_create", "epoll_create1"),
    FdKind.BPF: ("bpf",),
    FdKind.USERFAULTFD: ("userfaultfd",),
    FdKind.IOURING: ("io_uring_setup",),
    FdKind.MEMFD: ("memfd_create",),
    FdKind.PIDFD: ("pidfd_open",),
}
_KIND_MADE = {name: kind for kind, names in _MAKES.items() for name in names}


class Descriptors:
    """The rules of calls that make or close descriptors."""

    def __init__(self, store: Store, live: Live) -> None:
        self._fds = store.fds
        self._live = live

    def rules(self) -> Mapping[str, Callable[[Call], None]]:
        """Rules by the name of the calls they are for."""
        made = dict.fromkeys(_KIND_MADE, self.make)
        return made | {
            "pipe": self.pipe,
            "pipe2": self.pipe,
            "pidfd_getfd": self.take,
            "close_range": self.close_range,
        }

    def _put(self, call: Call, kind: FdKind, name: bytes, flags: int, cloexec: bool) -> None:
        row = self._fds.add(
            kind,
            self._fds.identity(kind, name),
            flags=flags,
            ino=call.unsigned("ino") or 0,
            thread=self._live.row(call.tid),
            first=call.number,
        )
        self._live.put_fd(call.tid, call.fd, row, cloexec, call.number)

    def make(self, call: Call) -> None:
        """One new descriptor of the kind the call is for."""
        result = call.result
        call.fd = result if result >= 0 else NO_NUMBER
        kind = _KIND_MADE[call.kind.name]
        if result < 0:
            return
        if kind is FdKind.BPF and call.unsigned("cmd") not in _BPF_MAKES_FD:
            call.fd = NO_NUMBER
            return
        flags = call.unsigned("flags") or 0
        name = b""
        if kind is FdKind.MEMFD:
            name = call.text("name") or b""
        elif kind is FdKind.PIDFD:
            name = b"/proc/%d" % (call.signed("pid") or 0)
        cloexec = _EPOLL_CLOEXEC if kind is FdKind.EVENTPOLL else _O_CLOEXEC
        self._put(call, kind, name, flags, bool(flags & cloexec))

    def pipe(self, call: Call) -> None:
        """The two ends of a pipe; the event's fd is the one to write to."""
        if call.result < 0:
            return
        flags = call.unsigned("flags") or 0
        for name in ("fd1", "fd2"):
            number = call.signed(name)
            if number is not None:
                call.fd = number
                self._put(call, FdKind.FIFO, b"", flags, bool(flags & _O_CLOEXEC))

    def take(self, call: Call) -> None:
        """A descriptor of another process, known by its pidfd."""
        call.fd = call.result if call.result >= 0 else NO_NUMBER
        pidfd, target = call.signed("pid_fd"), call.signed("target_fd")
        if call.result < 0 or pidfd is None or target is None:
            return
        row = self._live.fd_row(call.tid, pidfd)
        if row < 0:
            return
        folder, _, pid = self._fds.of(row).name.rpartition(b"/")
        if folder == b"/proc" and pid.isdigit():
            taken = self._live.fd_row(int(pid), target)
            if taken >= 0:
                self._live.put_fd(call.tid, call.fd, taken, True, call.number)

    def close_range(self, call: Call) -> None:
        """Close, or mark, every descriptor between two numbers."""
        first, last = call.unsigned("first"), call.unsigned("last")
        if call.result < 0 or first is None or last is None:
            return
        marks = (call.unsigned("flags") or 0) & _RANGE_CLOEXEC
        for number, _row, _cloexec in self._live.fds(call.tid):
            if first <= number <= last:
                if marks:
                    self._live.set_cloexec(call.tid, number, True)
                else:
                    self._live.drop_fd(call.tid, number, call.number)
