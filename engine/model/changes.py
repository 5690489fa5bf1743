"""Calls that change one fact of a thread: directory, identity, name, limits (state-tracking §3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from engine.events import FLAG_TABLES
from engine.model.call import Call
from engine.model.facts import NO_ID
from engine.model.live import Live
from engine.model.paths import joined
from engine.model.threads import Threads
from engine.store.store import Store

_SET_NAME = dict(FLAG_TABLES["prctl_options"])["PR_SET_NAME"]
_SUBREAPER = dict(FLAG_TABLES["prctl_options"])["PR_SET_CHILD_SUBREAPER"]
_NEWUSER = dict(FLAG_TABLES["clone_flags"])["CLONE_NEWUSER"]
_NOFILE = dict(FLAG_TABLES["rlimit_resources"])["RLIMIT_NOFILE"]
_LONGEST_COMM = 15
_ALL_CAPABILITIES = (1 << 41) - 1


class Changes:
    """The rules of those calls. All are about the caller and do nothing when the call failed."""

    def __init__(self, store: Store, live: Live, threads: Threads) -> None:
        self._fds = store.fds
        self._live = live
        self._threads = threads

    def rules(self) -> Mapping[str, Callable[[Call], None]]:
        """Rules by the name of the calls they are for."""
        return {
            "chdir": self.chdir,
            "fchdir": self.fchdir,
            "getcwd": self.getcwd,
            "chroot": self.chroot,
            "setuid": lambda call: self._identity(call, "uid", "uid"),
            "setgid": lambda call: self._identity(call, "gid", "gid"),
            "setresuid": lambda call: self._identity(call, "uid", "euid"),
            "setreuid": lambda call: self._identity(call, "uid", "euid"),
            "setresgid": lambda call: self._identity(call, "gid", "egid"),
            "setregid": lambda call: self._identity(call, "gid", "egid"),
            "setsid": self.setsid,
            "setpgid": self.setpgid,
            "prctl": self.prctl,
            "capset": self.capset,
            "unshare": lambda call: self._namespace(call, "flags"),
            "setns": lambda call: self._namespace(call, "nstype"),
            "getrlimit": lambda call: self._limit(call, call.tid, "cur"),
            "setrlimit": lambda call: self._limit(call, call.tid, "cur"),
            "prlimit": self.prlimit,
        }

    def _directory(self, call: Call, cwd: bytes) -> None:
        thread = self._threads.current(call.tid)
        main = self._threads.main(thread) if thread is not None else None
        if main is not None:
            self._threads.change(main.tid, call.number, cwd=cwd if cwd.endswith(b"/") else cwd + b"/")

    def _cwd(self, call: Call) -> bytes:
        thread = self._threads.current(call.tid)
        main = self._threads.main(thread) if thread is not None else None
        return main.cwd if main is not None else b"./"

    def chdir(self, call: Call) -> None:
        """The process works in another directory."""
        path = call.text("path")
        if call.result >= 0 and path is not None:
            self._directory(call, joined(self._cwd(call), path))

    def fchdir(self, call: Call) -> None:
        """The same, by descriptor."""
        row = self._live.fd_row(call.tid, call.fd)
        if call.result >= 0 and row >= 0:
            self._directory(call, self._fds.of(row).name)

    def getcwd(self, call: Call) -> None:
        """The kernel tells the directory: what was missed is mended."""
        path = call.text("path")
        if call.result >= 0 and path is not None and path.startswith(b"/"):
            self._directory(call, path)

    def chroot(self, call: Call) -> None:
        """The process sees another root."""
        path = call.text("path")
        if call.result >= 0 and path is not None:
            self._threads.change(call.tid, call.number, root=joined(self._cwd(call), path))

    def _identity(self, call: Call, fact: str, parameter: str) -> None:
        value = call.unsigned(parameter)
        if call.result >= 0 and value is not None and value != NO_ID:
            self._threads.change(call.tid, call.number, **{fact: value})

    def setsid(self, call: Call) -> None:
        """The process leads a session of its own."""
        if call.result >= 0:
            self._threads.change(call.tid, call.number, sid=call.result)

    def setpgid(self, call: Call) -> None:
        """A process moved to a process group; 0 stands for the caller, and for a group of its own."""
        pid, group = call.signed("pid"), call.signed("pgid")
        if call.result < 0 or pid is None or group is None:
            return
        tid = pid or call.tid
        self._threads.change(tid, call.number, vpgid=group or tid)

    def prctl(self, call: Call) -> None:
        """A thread named itself, or takes in orphans."""
        if call.result < 0:
            return
        option = call.unsigned("option")
        if option == _SET_NAME:
            name = call.text("arg2_str")
            if name is not None:
                self._threads.change(call.tid, call.number, comm=name[:_LONGEST_COMM])
        elif option == _SUBREAPER:
            self._threads.reaps(call.tid, bool(call.signed("arg2_int")))

    def capset(self, call: Call) -> None:
        """Capabilities were set."""
        if call.result >= 0:
            names = ("cap_inheritable", "cap_permitted", "cap_effective")
            told = {name: value for name in names if (value := call.unsigned(name)) is not None}
            self._threads.change(call.tid, call.number, **told)

    def _namespace(self, call: Call, parameter: str) -> None:
        if call.result >= 0 and (call.unsigned(parameter) or 0) & _NEWUSER:
            self._threads.change(
                call.tid, call.number, cap_permitted=_ALL_CAPABILITIES, cap_effective=_ALL_CAPABILITIES
            )

    def _limit(self, call: Call, tid: int, parameter: str) -> None:
        value = call.signed(parameter)
        thread = self._threads.current(tid)
        main = self._threads.main(thread) if thread is not None else None
        if call.result >= 0 and main is not None and value is not None and call.unsigned("resource") == _NOFILE:
            self._threads.change(main.tid, call.number, fdlimit=value)

    def prlimit(self, call: Call) -> None:
        """Limits of some process were asked, or set when new ones were given."""
        pid = call.signed("pid") or call.tid
        newer = call.signed("newcur")
        self._limit(call, pid, "newcur" if newer is not None and newer >= 0 else "oldcur")
