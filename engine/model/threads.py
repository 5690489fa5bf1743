"""Threads: their versions, families and process groups.

Owns the rules by which calls change what is known of a thread (state-tracking §3) and the links between versions:
to the parent's version and to the main thread's. Descriptors are copied and dropped along with threads, in ``live``;
which container a thread is in is read from its control groups.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from operator import attrgetter
from typing import Any

from engine.events import CATALOGUE, FLAG_TABLES
from engine.model.call import Call
from engine.model.cgroups import container_of, renamed
from engine.model.facts import Thread
from engine.model.live import Live
from engine.model.paths import joined
from engine.store.store import Store

_CLONE = dict(FLAG_TABLES["clone_flags"])
_THREAD = _CLONE["CLONE_THREAD"]
_FILES = _CLONE["CLONE_FILES"]
_INVERTED = _CLONE["CLONE_INVERTED"]
_SIBLING = _CLONE["CLONE_PARENT"]
_CLONES = {kind.code for kind in CATALOGUE if kind.name in ("clone", "clone3") and not kind.is_exit}
_ELSEWHERE = _CLONE["CLONE_CHILD_IN_PIDNS"] | _CLONE["CLONE_NEWPID"]
_VFORK = _CLONE["CLONE_VFORK"]

_SLOTS = tuple(one.name for one in fields(Thread))
_FACTS = attrgetter(*_SLOTS)
_MOST_MAKERS = 1024
"""Makers remembered at a time; the child of a further one takes after its parent."""
_REUSE = 2_000_000_000
"""ns within which a clone event is about the same child as the one before (state-tracking §3)."""
_MOST_ENDED = 4096
_MOST_GENERATIONS = 256
_LINKS_PER_EVENT = 16
"""How many versions made only to follow a changed relative are allowed per event of the capture, on average."""
_SEEN_BY_CHILDREN = frozenset({"comm", "exe", "exepath", "args", "pid", "ptid", "vpid", "tid"})


class Threads:
    """The threads alive and the versions of all that ever were."""

    def __init__(self, store: Store, live: Live) -> None:
        self._store = store
        self._rows = store.threads
        self._fds = store.fds
        self._live = live
        self._lives = 0
        self._links = 0
        self.clear()

    def clear(self) -> None:
        """A section begins: nobody lives."""
        self._groups: dict[int, set[int]] = {}
        self._children: dict[int, set[int]] = {}
        self._makers: dict[int, int] = {}
        """Makers of children of their own parent whose first event is still to come."""
        self._zombies: set[int] = set()
        self._reapers: set[int] = set()
        self._ended: dict[int, tuple[int, int]] = {}
        self.former: dict[int, Thread] = {}
        """Threads that had ended when threads were listed, by number, as they were."""

    def current(self, tid: int) -> Thread | None:
        """The version of a thread in force."""
        row = self._live.row(tid)
        return self._rows[row] if row >= 0 else None

    def main(self, thread: Thread) -> Thread | None:
        """The main thread's version in force; None when it is gone or unknown."""
        return thread if thread.is_main else self.current(thread.pid)

    def rules(self) -> Mapping[str, Callable[[Call], None]]:
        """Rules by the name of the calls they are for."""
        return dict.fromkeys(("clone", "clone3", "fork", "vfork"), self.clone) | {
            "execve": self.exec,
            "execveat": self.exec,
            "procexit": self.exit,
        }

    # Lives and versions.

    def add(self, thread: Thread, *, sharing: int = -1, copying: int = -1) -> bool:
        """A life begins with this version; False when too many live."""
        tid = thread.tid
        self.former.pop(tid, None)
        replaced = self._live.row(tid)
        if replaced >= 0:
            self._forget(tid)
            self._rows.end(replaced, thread.first)
        if not self._live.add(tid, len(self._rows), sharing=sharing, copying=copying):
            return False
        thread.process = self._live.process(tid)
        thread.life = self._lives
        self._lives += 1
        self._groups.setdefault(thread.pid if thread.pid >= 0 else ~tid, set()).add(tid)
        if thread.ptid > 0:
            self._children.setdefault(thread.ptid, set()).add(tid)
        self._append(thread)
        if thread.is_main:
            self._live.set_cwd(tid, thread.cwd)
        return True

    def link(self) -> None:
        """Point at parents and main threads that were listed after those who need them."""
        for tids in self._groups.values():
            for tid in tids:
                thread = self.current(tid)
                if thread is not None:
                    self._point(thread, self._live.row(tid))

    def placeholder(self, tid: int, number: int) -> bool:
        """A thread nothing is known of but that it is there, and what it was when it is there no more."""
        if former := self.former.get(tid):
            former.first = number
            return self.add(former)
        added = self.add(Thread(tid, first=number, comm=None, cwd=b""))
        if added:
            self._live.set_cwd(tid, b"./")
        return added

    def change(self, tid: int, number: int, **facts: Any) -> None:
        """Another version of a thread is in force from an event on, with these facts changed."""
        old = self.current(tid)
        if old is None:
            return
        changed = {name for name, value in facts.items() if getattr(old, name) != value}
        if not changed:
            return
        version = self._version(old, number)
        for name in changed:
            setattr(version, name, facts[name])
        self._replace(old, version, bool(changed & _SEEN_BY_CHILDREN))

    def _version(self, old: Thread, number: int) -> Thread:
        version = Thread(*_FACTS(old))
        version.first = number
        return version

    def _append(self, version: Thread) -> int:
        row = len(self._rows)
        self._point(version, row)
        self._rows.append(version)
        self._live.set_row(version.tid, row)
        return row

    def _point(self, version: Thread, row: int) -> None:
        parent = self._live.row(version.ptid) if version.ptid > 0 else -1
        if parent >= 0:
            version.parent = parent
        elif version.ptid <= 0:
            version.parent = -1
        version.leader = row if version.is_main else self._live.row(version.pid) if version.pid >= 0 else -1

    def _replace(self, old: Thread, version: Thread, seen: bool) -> None:
        """Put a version in force, and versions of those that point at the old one."""
        if old.ptid != version.ptid:
            self._children.get(old.ptid, set()).discard(version.tid)
            if version.ptid > 0:
                self._children.setdefault(version.ptid, set()).add(version.tid)
        self._append(version)
        if version.is_main and old.cwd != version.cwd:
            self._live.set_cwd(version.tid, version.cwd)
        # Those that point at the old version: threads of the process, and, if they can see the change, children.
        stack = [self._followers(version, seen)]
        reached = {version.tid}
        while stack:
            for follower in stack.pop() - reached:
                if self._links > _LINKS_PER_EVENT * (version.first + 1024):
                    return
                reached.add(follower)
                relative = self.current(follower)
                if relative is not None:
                    self._links += 1
                    linked = self._version(relative, version.first)
                    if not linked.is_main and linked.pid == version.tid:
                        linked.cwd, linked.env, linked.root = version.cwd, version.env, version.root
                    self._append(linked)
                    stack.append(self._followers(relative, seen))

    def _followers(self, thread: Thread, seen: bool) -> set[int]:
        """Threads whose versions point at one of this thread."""
        followers = self._groups.get(thread.tid, set()) if thread.is_main else set()
        return followers | self._children.get(thread.tid, set()) if seen else followers

    def _forget(self, tid: int) -> None:
        """Take a thread out of its group and family."""
        thread = self.current(tid)
        if thread is None:
            return
        key = thread.pid if thread.pid >= 0 else ~tid
        group = self._groups.get(key, set())
        group.discard(tid)
        if not group:
            self._groups.pop(key, None)
        siblings = self._children.get(thread.ptid, set())
        siblings.discard(tid)
        if not siblings:
            self._children.pop(thread.ptid, None)
        self._zombies.discard(tid)
        self._reapers.discard(tid)

    # Birth.

    def clone(self, call: Call) -> None:
        """A thread or process was made, told by its maker or by itself."""
        result = call.result
        flags = call.unsigned("flags") or 0
        if result < 0:
            return
        if result == 0:
            known = self.current(call.tid)
            if known is not None and known.started is not None and call.time - known.started < _REUSE:
                # Its maker may have told of it, but its numbers in a namespace it knows itself.
                if flags & _CLONE["CLONE_CHILD_IN_PIDNS"]:
                    self.change(call.tid, call.number, vtid=call.signed("vtid"), vpid=call.signed("vpid"))
                return
            ptid = call.signed("ptid") or 0
            pid = call.signed("pid")
            maker = self._maker(call.tid, ptid) if flags & _SIBLING else ptid
            pid = pid if pid is not None and pid > 0 else call.tid
            self._born(call, call.tid, pid, ptid, flags | _INVERTED, maker)
            return
        comm = call.text("comm")
        if comm is not None:
            # The caller's own name as of now: mends what a missed change left behind.
            self.change(call.tid, call.number, comm=comm)
        inside = call.signed("vtid")
        if flags & _SIBLING and flags & _ELSEWHERE and len(self._makers) < _MOST_MAKERS:
            self._makers[result] = call.tid
        if flags & (_ELSEWHERE | _VFORK) or call.kind.name == "vfork" or (inside is not None and inside != call.tid):
            return
        ended = self._ended.get(result)
        if ended is not None and ended[1] == call.tid and call.time - ended[0] < _REUSE:
            return
        known = self.current(result)
        if known is not None and known.flags & _INVERTED:
            return
        pid, ptid = result, call.tid
        if flags & _THREAD:
            told = call.signed("pid")
            pid = told if told is not None and told > 0 else result
        if flags & (_THREAD | _SIBLING):
            ptid = call.signed("ptid") or 0
        self._born(call, result, pid, ptid, flags, call.tid)

    def _born(self, call: Call, tid: int, pid: int, ptid: int, flags: int, maker: int) -> None:
        is_thread = bool(flags & _THREAD) and tid != pid
        if not is_thread:
            pid = tid
        model = self.current(pid) if is_thread else self.current(maker)
        child = self._version(model, call.number) if model is not None else Thread(tid)
        child.tid, child.pid, child.first = tid, pid, call.number
        child.ptid, child.parent = ptid, -1
        child.started = call.time
        child.flags = flags | _FILES if is_thread else flags & ~_FILES
        self._told(call, child)
        if call.tid != tid:
            # What is told is its maker's.
            child.pf_major = child.pf_minor = 0
        main = self.main(model) if model is not None else None
        child.cwd = main.cwd if main is not None else b"./"
        child.env = main.env if main is not None else ()
        vtid, vpid = call.signed("vtid"), call.signed("vpid")
        own = bool(flags & _INVERTED) and vtid is not None and vpid is not None
        child.vtid = vtid if own and vtid is not None else tid
        child.vpid = vpid if own and vpid is not None else pid
        if is_thread:
            if model is None:
                # The process is there though its main thread was never heard of: what threads share is known.
                first = self._version(child, call.number)
                first.tid, first.vtid, first.started = pid, child.vpid, None
                first.flags &= ~(_FILES | _THREAD)
                self.add(first)
            self.add(child, sharing=pid)
        else:
            self.add(child, copying=maker)

    def _maker(self, tid: int, ptid: int) -> int:
        """Who made a child of its own parent: told by its clone's exit, else whoever of its siblings is in clone."""
        inside = (one for one in self._children.get(ptid, set()) if self._live.entered(one) in _CLONES)
        return self._makers.pop(tid, None) or next(inside, ptid)

    def _told(self, call: Call, thread: Thread) -> None:
        """Facts that clone and exec events both tell."""
        thread.exe = call.text("exe") or b""
        thread.args = call.items("args")
        comm = call.text("comm")
        thread.comm = comm if comm is not None else thread.exe
        fdlimit = call.signed("fdlimit")
        thread.fdlimit = thread.fdlimit if fdlimit is None else fdlimit
        thread.vm_size, thread.vm_rss, thread.vm_swap = (
            call.unsigned("vm_size"),
            call.unsigned("vm_rss"),
            call.unsigned("vm_swap"),
        )
        thread.pf_major, thread.pf_minor = call.unsigned("pgft_maj"), call.unsigned("pgft_min")
        for name in ("uid", "gid"):
            value = call.unsigned(name)
            if value is not None:
                setattr(thread, name, value)
        if call.raw("cgroups") is not None:
            thread.cgroups = renamed(call.items("cgroups"))
            thread.container = container_of(thread.cgroups)
        start = call.unsigned("pidns_init_start_ts")
        if start:
            # Events count from the machine's start, unlike process lists.
            booted = self._store.machine.boot_time if self._store.machine is not None else 0
            thread.pidns_init_start = start if start >= booted else booted + start

    # Exec.

    def exec(self, call: Call) -> None:
        """A process runs another program."""
        old = self.current(call.tid)
        if call.result < 0 or old is None:
            return
        new = self._version(old, call.number)
        self._told(call, new)
        new.flags &= _INVERTED
        for name, fact in (("vpgid", "vpgid"), ("pgid", "pgid"), ("sid", "sid")):
            value = call.signed(name)
            if value is not None:
                setattr(new, fact, value)
        for name, fact in (
            *(("tty", "tty"), ("loginuid", "loginuid"), ("flags", "exe_flags")),
            *((one, one) for one in ("cap_inheritable", "cap_permitted", "cap_effective")),
            *((one, one) for one in ("exe_ino", "exe_ino_ctime", "exe_ino_mtime")),
        ):
            value = call.unsigned(name)
            if value is not None:
                setattr(new, fact, value)
        if call.raw("env") is not None:
            new.env = call.items("env")
        pid, ptid = call.signed("pid"), call.signed("ptid") or 0
        if old.ptid == 0:
            # Who took in an orphan need not have been told.
            new.ptid = ptid
        if old.pid < 0 and pid is not None and pid > 0:
            new.pid, new.ptid = pid, ptid
            new.vtid, new.vpid = (call.tid, pid) if old.vtid < 0 else (old.vtid, old.vpid)
            self._groups.pop(~call.tid, None)
            self._groups.setdefault(pid, set()).add(call.tid)
            new.cwd = b"./"
        new.exepath = self._exepath(call, old)
        self._append_exec(old, new, call.number)

    def _append_exec(self, old: Thread, new: Thread, number: int) -> None:
        for other in self._groups.get(new.pid, set()) - {new.tid}:
            if not (other == new.pid and not new.is_main):
                self._remove(other, number)
        self._replace(old, new, True)
        for descriptor, _row, cloexec in self._live.fds(new.tid):
            if cloexec:
                self._live.drop_fd(new.tid, descriptor, number)

    def _exepath(self, call: Call, old: Thread) -> bytes:
        """Path of the program: as told, else from the arguments of the call."""
        told = call.text("trusted_exepath")
        if told:
            return told.removesuffix(b" (deleted)")
        main = self.main(old)
        base = main.cwd if main is not None else b"./"
        name = call.text("filename")
        if name is None:
            name = call.text("pathname")
            dirfd = call.signed("dirfd")
            if name is None and dirfd is None:
                return b""
            if dirfd is not None and dirfd >= 0:
                row = self._live.fd_row(call.tid, dirfd)
                base = self._fds.of(row).name if row >= 0 else b"<UNKNOWN>"
        return joined(base, name or b"").removesuffix(b" (deleted)")

    # Death.

    def exit(self, call: Call) -> None:
        """A thread ended; it is still there for this event."""
        reaper = call.signed("reaper_tid") or 0
        call.after = lambda: self._end(call, reaper)

    def _end(self, call: Call, reaper: int) -> None:
        thread = self.current(call.tid)
        if thread is None:
            return
        if len(self._ended) >= _MOST_ENDED:
            self._ended.pop(next(iter(self._ended)))
        self._ended[call.tid] = (call.time, thread.ptid)
        self._orphan(thread, reaper, call.number)
        if thread.is_main and len(self._groups.get(thread.pid, set())) > 1:
            self._zombies.add(call.tid)
            return
        self._remove(call.tid, call.number)
        group = self._groups.get(thread.pid, set())
        if group and group <= self._zombies:
            for zombie in tuple(group):
                self._remove(zombie, call.number)

    def _remove(self, tid: int, number: int) -> None:
        thread = self.current(tid)
        if thread is not None:
            self._rows.end(self._live.row(tid), number)
        self._forget(tid)
        self._live.remove(tid, number)

    def _orphan(self, dead: Thread, reaper: int, number: int) -> None:
        """Children of a dead thread go to whoever takes them (state-tracking §3)."""
        children = self._children.get(dead.tid)
        if not children:
            return
        if not (reaper > 0 and self._live.row(reaper) >= 0):
            others = self._groups.get(dead.pid, set()) - self._zombies - {dead.tid}
            reaper = min(others) if others else self._reaper_of(dead)
        for child in tuple(children):
            self.change(child, number, ptid=reaper)

    def _reaper_of(self, dead: Thread) -> int:
        """The nearest ancestor that takes in orphans; 0 when none is known."""
        ancestor = self.current(dead.ptid)
        for _generation in range(_MOST_GENERATIONS):
            if ancestor is None:
                return 0
            if ancestor.pid == 1 or ancestor.vpid == 1 or ancestor.pid in self._reapers:
                return ancestor.pid
            ancestor = self.current(ancestor.ptid)
        return 0

    def reaps(self, tid: int, orphans: bool) -> None:
        """Whether a thread's process takes in the orphans among its descendants."""
        thread = self.current(tid)
        if thread is not None and orphans:
            self._reapers.add(thread.pid)
        elif thread is not None:
            self._reapers.discard(thread.pid)
