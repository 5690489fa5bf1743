"""Why lines of sysdig 0.29.3 differ from ours: every difference that is right, and which ones are meant.

A rule names the fields it may explain and says in code which differences it means. The first that holds explains.
"""

from __future__ import annotations

import re

from engine.text import ABSENT, clean
from tests.engine.oracle import FIELDS, MISSING, Difference, Rule, parameters

_FD_CELLS = tuple(field for field in FIELDS if field.startswith("fd."))
_MORE_OF_FD = ("evt.category", *_FD_CELLS)


def _is_unnamed_fd(difference: Difference) -> bool:
    return difference.ours == ABSENT and difference.theirs in ("", "/")


def _guessed(difference: Difference) -> bool:
    return difference.ours == ABSENT and difference.our_cells["fd.name"] in (ABSENT, "")


def _has_newer_names(difference: Difference) -> bool:
    theirs, ours = re.fullmatch(_NAMED, difference.theirs), re.fullmatch(_NAMED, difference.ours)
    if theirs is None or ours is None or theirs[1] != ours[1]:
        return False
    return set((theirs[2] or "").split("|")) - {""} < set((ours[2] or "").split("|"))


_NAMED = re.compile(r"(-?[0-9A-F]+)(?:\(([A-Z0-9_|]+)\))?")


def _is_garbage(difference: Difference) -> bool:
    """The destination is made of the bytes of the bound port and the protocol number 3."""
    ends = re.search(r":(\d+)->(\d+)\.(\d+)\.3\.255", difference.their_cells["fd.name"])
    return ends is not None and int(ends[1]) == int(ends[2]) + (int(ends[3]) << 8)


def _is_of_thread(difference: Difference) -> bool:
    return difference.our_cells["thread.tid"] != difference.our_cells["proc.pid"]


def _same_number(difference: Difference) -> bool:
    """Both name the same thread, where the cell tells one."""
    return difference.ours.rpartition("(")[0] == difference.theirs.rpartition("(")[0]


def _is_leaderless(difference: Difference) -> bool:
    return difference.their_cells["proc.ppid"] == "-1"


def _is_connect_failure(difference: Difference) -> bool:
    return difference.our_cells["evt.failed"] == "true" and difference.type in ("connect", "accept", "accept4")


def _is_inferred(difference: Difference) -> bool:
    """The descriptor is told by the exit itself, and sysdig relies on the enter."""
    return difference.is_exit and difference.type in ("setsockopt", "getsockopt")


def _is_renamed(difference: Difference) -> bool:
    other = parameters(difference.type, difference.our_cells["evt.args"]).get("vpgid", "")
    same = difference.theirs.partition("(")[0] == other.partition("(")[0]
    return difference.parameter == "pgid" and difference.type in ("execve", "execveat") and same


def _is_stale(difference: Difference) -> bool:
    """A copy of an unknown descriptor, or a later use of it."""
    stale, process = difference.capture.stale, difference.our_cells["proc.pid"]
    if difference.our_cells["fd.name"] != ABSENT:
        return False
    if difference.type == "fcntl" and difference.parameter == "res":
        stale.add((process, difference.ours))
        return True
    return (process, difference.our_cells["fd.num"]) in stale


def _is_kept_in_list(difference: Difference) -> bool:
    """An fd list in which we know fewer descriptors."""
    pairs = zip(difference.theirs.split(" "), difference.ours.split(" "), strict=False)
    unknown = all(theirs == ours or ":?" in ours for theirs, ours in pairs)
    return unknown and _numbers(difference.theirs) == _numbers(difference.ours)


def _numbers(fds: str) -> str:
    return re.sub(r":[^ ]", ":", fds.replace("18446744073709551615", "-1"))


def _without_base(path: str) -> str:
    return re.sub(r"<UNKNOWN>/?", "", path)


RULES = (
    Rule(
        "newer parameter",
        ("evt.args",),
        lambda d: d.theirs == MISSING,
        "the capture has parameters that were appended after sysdig 0.29.3",
    ),
    Rule(
        "newer names",
        ("evt.args",),
        _has_newer_names,
        "flags and enumerations have names that sysdig 0.29.3 does not know yet",
    ),
    Rule(
        "text left over",
        ("evt.args",),
        lambda d: d.ours == ABSENT,
        "for a string that is not there sysdig repeats the text of the parameter printed before",
    ),
    Rule(
        "controls",
        ("evt.args", "proc.args", "proc.name", "proc.exe", "fd.name"),
        lambda d: clean(d.theirs) == d.ours,
        "control characters are made visible, sysdig prints them",
    ),
    Rule(
        "newer call",
        ("evt.type", "evt.category"),
        lambda d: d.their_cells["evt.type"] == "<unknown>",
        "calls whose number sysdig cannot have are named",
    ),
    Rule(
        "renamed",
        ("evt.type",),
        lambda d: (d.theirs, d.ours) in (("sigreturn", "rt_sigreturn"), ("sysdigevent", "scapevent")),
        "types that have another name since",
    ),
    Rule(
        "internal category",
        ("evt.category",),
        lambda d: (d.theirs, d.ours) == ("unknown", "internal"),
        "sysdig has no word for the category of internal events",
    ),
    Rule(
        "no latency",
        ("evt.latency",),
        lambda d: d.ours == ABSENT and d.is_exit,
        "an exit whose enter was not seen has no latency; sysdig shows 0 or an older one",
    ),
    Rule(
        "latency of a switch",
        ("evt.latency",),
        lambda d: d.type == "switch" and d.ours == "0",
        "for a switch sysdig repeats the latency of the thread's last call",
    ),
    Rule(
        "no descriptor",
        ("fd.num",),
        lambda d: d.ours == ABSENT and d.theirs == "-1",
        "an event without a descriptor has no number; sysdig shows -1",
    ),
    Rule(
        "kind guessed",
        ("fd.typechar",),
        _guessed,
        "of an unknown descriptor sysdig guesses the kind by the event's type",
    ),
    Rule(
        "empty name",
        ("fd.name", "fd.directory", "fd.filename"),
        _is_unnamed_fd,
        "of an unknown descriptor sysdig shows an empty name or the root directory",
    ),
    Rule(
        "overlaid addresses",
        ("fd.name", "fd.cip", "fd.sip", "fd.cport", "fd.sport", "evt.args"),
        _is_garbage,
        "sysdig reads a bound UDP socket's port and protocol as the address of the other end",
    ),
    Rule(
        "header's thread",
        ("thread.tid",),
        lambda d: d.ours == ABSENT and d.type in ("switch", "procinfo", "page_fault"),
        "events of threads that are not known have none; sysdig prints the number in the event",
    ),
    Rule(
        "renamed",
        ("proc.name", "proc.pname", "evt.args"),
        lambda d: d.ours.rpartition("(")[2].removesuffix(")") in d.capture.renamed and _same_number(d),
        "a clone event tells the caller's name as of now; sysdig keeps the one of its last exec or birth",
    ),
    Rule(
        "own name as parent",
        ("proc.pname",),
        lambda d: _is_of_thread(d) and d.theirs in d.capture.names[d.our_cells["proc.pid"]],
        "for a thread sysdig names the main thread of its own process in place of the parent",
    ),
    Rule(
        "no leader",
        ("proc.ppid", "user.loginuid"),
        _is_leaderless,
        "sysdig invents a main thread without facts where the capture has none",
    ),
    Rule(
        "invented leader",
        ("evt.args",),
        lambda d: (
            d.theirs.partition("(")[0] == d.ours and d.theirs.endswith(")") and not d.theirs.startswith(f"{d.ours}(<")
        ),
        "sysdig names threads it invented or that have ended",
    ),
    Rule(
        "wide group",
        ("group.gid",),
        lambda d: d.ours.isdigit() and int(d.theirs) & 0xFFFFFFFF == int(d.ours),
        "sysdig prints 64 bits of a 32-bit number",
    ),
    Rule(
        "unknown directory",
        ("proc.cwd",),
        lambda d: d.theirs == "",
        "sysdig shows nothing for a directory it does not know, also where the exec told it",
    ),
    Rule(
        "tuple as name",
        ("fd.name",),
        lambda d: _is_connect_failure(d) and d.theirs == parameters(d.type, d.their_cells["evt.args"]).get("tuple"),
        "of a failed connect or accept sysdig shows the tuple in place of the descriptor's name",
    ),
    Rule(
        "no client",
        ("fd.cport",),
        lambda d: d.theirs == "0" and d.ours == ABSENT,
        "a listening socket has no client; sysdig shows port 0",
    ),
    Rule(
        "renamed parameter",
        ("evt.args",),
        _is_renamed,
        "what is vpgid now was called pgid",
    ),
    Rule(
        "told by the exit",
        _FD_CELLS,
        _is_inferred,
        "sysdig takes the descriptor from the enter, which does not have it for socket options",
    ),
    Rule(
        "copied descriptor",
        _FD_CELLS,
        lambda d: (
            d.type == "fcntl"
            and d.is_exit
            and d.our_cells["evt.rawres"] in (d.their_cells["fd.num"], d.our_cells["fd.num"])
        ),
        "a call that copies a descriptor is about the old or the new one; sysdig says the new one if it knows the old",
    ),
    Rule(
        "directory not opened",
        ("fd.typechar", "fd.directory", "fd.filename"),
        lambda d: d.our_cells["evt.failed"] == "true" and "O_DIRECTORY" in d.our_cells["evt.args"],
        "where opening a directory fails sysdig takes it for a file",
    ),
    Rule(
        "user of the exec",
        ("user.uid", "group.gid"),
        lambda d: d.theirs == "4294967295",
        "who runs a program is told by parameters of the exec that are newer than sysdig 0.29.3",
    ),
    Rule(
        "name kept",
        ("fd.name", "evt.args"),
        lambda d: (
            d.our_cells["fd.name"] == ""
            and d.our_cells["fd.typechar"] == "u"
            and d.theirs.endswith(d.their_cells["fd.name"] + ")"[: d.field == "evt.args"])
        ),
        "of a unix socket sysdig keeps the path it could not be connected to",
    ),
    Rule(
        "enter missing",
        (*_MORE_OF_FD, "evt.args"),
        lambda d: d.is_alone and (not d.parameter or d.theirs.partition("(")[0] == d.ours.partition("(")[0]),
        "for an exit without its enter sysdig takes the descriptor of an earlier call",
    ),
    Rule(
        "newer container",
        ("container.id", "container.name"),
        lambda d: d.theirs == "host" and d.our_cells["container.id"] != "host",
        "more shapes of control groups tell a container than sysdig 0.29.3 knows",
    ),
    Rule(
        "misread login",
        ("user.loginuid",),
        lambda d: d.ours != ABSENT and (int(d.theirs) < -1 or d.theirs == "0"),
        "sysdig reads another number of a newer process list as the login's",
    ),
    Rule(
        "process of a placeholder",
        ("proc.pid",),
        lambda d: d.ours in ("-1", ABSENT) and d.theirs == d.their_cells["thread.tid"],
        "of a thread that is not in the capture sysdig takes the number for the process's",
    ),
    Rule(
        "parent ended",
        ("proc.ppid",),
        lambda d: d.theirs in d.capture.ended,
        "whose parent has ended gets another one, sysdig keeps it",
    ),
    Rule(
        "user set by an exit",
        ("user.uid", "user.name", "group.gid"),
        lambda d: d.capture.exit_only and d.theirs in ("0", "root"),
        "sysdig takes a new user or group from the enter of the call that sets it",
    ),
    Rule(
        "bytes removed",
        ("evt.args", "fd.name"),
        lambda d: re.sub(r"[^ -~]", "", d.ours) == d.theirs,
        "sysdig leaves unprintable bytes out of socket addresses and names",
    ),
    Rule(
        "container's own thread",
        tuple(field for field in FIELDS if field.partition(".")[0] in ("thread", "proc", "user", "group", "container")),
        lambda d: d.type == "container" and d.their_cells["proc.name"].startswith("container:"),
        "sysdig invents a thread for the event that tells of a container",
    ),
    Rule(
        "double slash",
        (*_FD_CELLS, "evt.args"),
        lambda d: d.theirs.replace("//", "/") == d.ours,
        "sysdig does not fold the root directory's slash with the next",
    ),
    Rule(
        "trailing dot",
        (*_FD_CELLS, "evt.args"),
        lambda d: re.sub(r"(?<=[^/.])\.(?=[/)]|$)", "", d.ours) == re.sub(r"(?<=[^/.])\.(?=[/)]|$)", "", d.theirs),
        "sysdig takes a dot at the end of a name for the current directory",
    ),
    Rule(
        "unknown base",
        (*_FD_CELLS, "evt.args"),
        lambda d: "<UNKNOWN>/" in d.ours and _without_base(d.theirs) == _without_base(d.ours),
        "a path below an unknown directory is set off from it by a slash",
    ),
    Rule(
        "wide minus one",
        ("evt.args",),
        lambda d: d.theirs.replace("18446744073709551615", "-1") == d.ours,
        "sysdig prints the -1 of an unused entry of an fd list without sign",
    ),
    Rule(
        "enters unknown",
        ("evt.args",),
        lambda d: d.capture.exit_only and d.parameter == "fds" and _numbers(d.theirs) == _numbers(d.ours),
        "without enters sysdig knows few descriptors, and keeps closed ones",
    ),
    Rule(
        "stale copy",
        (*_MORE_OF_FD, "evt.args"),
        _is_stale,
        "of a copy of an unknown descriptor sysdig shows what had its number before",
    ),
    Rule(
        "family changed",
        (*_FD_CELLS, "evt.args"),
        lambda d: d.their_cells["fd.name"] == "<unknown>",
        "sysdig loses the ends of a socket that is connected by IPv6 and then by IPv4",
    ),
    Rule(
        "closed by exec",
        (*_MORE_OF_FD, "evt.args"),
        lambda d: (
            _is_kept_in_list(d)
            if d.parameter == "fds"
            else d.our_cells["fd.name"] == ABSENT and d.their_cells["fd.name"] in d.capture.closing
        ),
        "sysdig keeps descriptors that an exec closed",
    ),
    Rule(
        "pair closed by exec",
        (*_MORE_OF_FD, "evt.args"),
        lambda d: (
            d.our_cells["fd.name"] == ABSENT
            and (d.their_cells["fd.type"], d.their_cells["fd.name"]) == ("unix", "")
            and (d.field != "evt.args" or d.theirs == f"{d.ours}(<u>)")
        ),
        "sysdig keeps ends of socket pairs that an exec closed; the dup3 that kept their number is not in the copy",
    ),
    Rule(
        "nothing in an unknown directory",
        ("evt.args", "fd.name", "fd.directory"),
        lambda d: "<UNKNOWN>" in d.ours and d.theirs == d.ours.replace("<UNKNOWN>", ""),
        "an opening by a directory that is not known and a name that is not told is shown as that directory",
    ),
    Rule(
        "made beside",
        ("proc.cwd", *_MORE_OF_FD, "evt.args"),
        lambda d: d.our_cells["proc.pid"] in d.capture.adopted,
        "the child of a clone with CLONE_PARENT has its maker's directory and descriptors, not its parent's",
    ),
    Rule(
        "cloned beside",
        ("proc.ppid",),
        lambda d: d.our_cells["proc.pid"] in d.capture.siblings,
        "the parent of a clone with CLONE_PARENT is its caller's parent",
    ),
    Rule(
        "guessed ends",
        (*_FD_CELLS, "evt.args"),
        lambda d: d.our_cells["fd.l4proto"] == "udp" and d.their_cells["fd.l4proto"] == "udp",
        "the ends of unconnected UDP sockets are guessed from other sockets, whose addresses sysdig overlays",
    ),
    Rule(
        "failed openat",
        _FD_CELLS,
        lambda d: d.type in ("openat", "openat2") and d.our_cells["evt.failed"] == "true",
        "an openat that failed is about the path it tried; sysdig may show the directory it started from",
    ),
    Rule(
        "enter of openat2",
        ("evt.args",),
        lambda d: d.type == "openat2" and d.parameter == "name" and not d.is_exit,
        "sysdig joins the path of an openat2's enter with the working directory",
    ),
    Rule(
        "copied range",
        _FD_CELLS,
        lambda d: d.type == "copy_file_range" and d.is_exit,
        "a copy_file_range is about the file it reads, on its enter and on its exit",
    ),
)
