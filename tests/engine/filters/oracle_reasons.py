"""Why our filters keep other events than sysdig 0.29.3's, by the fields whose values differ in those events.

How the printed values differ is held cell by cell in ``tests/engine/oracle_rules``; here is why both are no mistake of
ours. What a newer library does counts, ``filter-language.md`` says.
"""

_NO_DESCRIPTOR = (
    "events about no descriptor have none, there number -1, an empty name or a guessed kind; mmap and setsockopt are "
    "about one by the newer table of events, a failed open is about the file it tried"
)
_TABLES = (
    "an exec closes descriptors, which sysdig keeps; a child has those of the thread that made it, there of the parent "
    "it is given; the copies lack dup2 and dup3, so that ours closes some that stay open"
)
_NAME = (
    f"{_NO_DESCRIPTOR}; a failed connect leaves a socket's name, there it becomes the tuple; "
    "a socket that connects again is named by its new peer, there by the first, or wrongly; "
    f"{_TABLES}"
)
_ENDS = (
    "ends that are not known are absent, there they are zero, or left over from other events; setsockopt is about its "
    "socket by the newer table of events, and the port of a bound socket's peer is 0"
)
_PEER = (
    "sysdig reads the peer of a bound UDP socket from the wrong bytes, and keeps that of a socket that connects again, "
    "to another or to nobody, or has it change its family"
)
_LOCAL = (
    "which end is local goes by who connected or bound, there by the machine's interfaces, which container addresses "
    "miss, and not for IPv6; a socket that connects again has its new peer, there the first"
)
_PARENTS = (
    "sysdig names the process itself, or an invented parent, where the capture tells no parent; it keeps a parent "
    "that has ended, and does not learn from an exec who took in an orphan"
)
_INVENTED = "of a process of which only a thread's begin was seen, that thread's clone tells; sysdig invents"
_NEWER = "the parameter was added after sysdig 0.29.3"
_UNKNOWN = "of threads without facts nothing is known; sysdig invents some, as id -1 or the text <NA>"
_INNER = f"{_UNKNOWN}; an exec tells who they are, there without the ids of their namespace"
_USERS = "events tell the user since, in a parameter that sysdig 0.29.3 does not know; names are the capture's own"
_LEFT_OVER = "for a string that is not there sysdig repeats the text of the parameter printed before"
_MEMORY = (
    "what the latest event of the process or thread told; sysdig gives a new thread those of its parent, "
    "from the parent's end of the clone, and takes none from the thread's own, from the parent's after it, "
    "or from an exec that failed"
)
_CONTAINERS = "containers are recognised by cgroup names that sysdig 0.29.3 does not know"
_ANNOUNCED = "events that announce a container have no thread, there an invented one inside it"
_LATENCY = "of an exit without an enter no latency is known, and switches have none; sysdig repeats an older one"
_SWITCH = (
    "a slice counts when the switch before on its processor was to that thread; sysdig takes whatever passed since "
    "that switch, also while others ran, and has the idle loop, thread 0, use its time"
)

FIELDS = {
    "container.id": _CONTAINERS,
    "container.image.repository": f"{_CONTAINERS}; {_ANNOUNCED}",
    "container.mounts": "an empty list of mounts is no value, there an empty text",
    "container.name": _CONTAINERS,
    "container.privileged": "what the container's description does not tell is absent, there false",
    "container.type": "the engine is what the container's description tells, there guessed from the name of the cgroup",
    "evt.arg.cmd": _NEWER,
    "evt.arg.cwd": _LEFT_OVER,
    "evt.arg.fd": _NEWER,
    "evt.arg.flags": "flags have names that sysdig 0.29.3 does not know yet",
    "evt.arg.name": _LEFT_OVER,
    "evt.arg.pid": _NEWER,
    "evt.arg.uid": _NEWER,
    "evt.arg[1]": _NEWER,
    "evt.arg[2]": _NEWER,
    "evt.args": _NEWER,
    "evt.buffer": "payload of no bytes is absent, as newer libraries have it, there empty",
    "evt.buflen": f"only calls that move bytes have a length, there close, fcntl and ioctl, too; {_TABLES}",
    "evt.category": f"that of the descriptor: {_TABLES}",
    "evt.deltatime": "since the event before, there since the last that is not internal; going back is a huge number",
    "evt.deltatime.s": "as evt.deltatime",
    "evt.io_dir": "sendmmsg is a call that writes by the newer table of events",
    "evt.is_io": "as evt.io_dir",
    "evt.is_io_write": "as evt.io_dir",
    "evt.latency": _LATENCY,
    "evt.latency.human": _LATENCY,
    "evt.latency.ns": _LATENCY,
    "evt.latency.s": _LATENCY,
    "evt.rawarg.name": _LEFT_OVER,
    "evt.rawarg.uid": _NEWER,
    "evt.rawres": "getuid and the like have a result under another name",
    "evt.res": "SUCCESS also of enters and events without a result, as the reference has it",
    "fd.cip": _PEER,
    "fd.connected": _NO_DESCRIPTOR,
    "fd.containerdirectory": f"{_NO_DESCRIPTOR}; {_CONTAINERS}",
    "fd.containername": f"{_NAME}; {_CONTAINERS}",
    "fd.cport": _ENDS,
    "fd.cproto": _ENDS,
    "fd.dev": "descriptors without a device have none, there 0 or other bytes; mmap and a failed open are about one",
    "fd.dev.major": "as fd.dev",
    "fd.directory": _NO_DESCRIPTOR,
    "fd.filename": _NO_DESCRIPTOR,
    "fd.is_server": "only sockets have a server's end; accepted connections are it",
    "fd.l4proto": "a socket has its protocol from the call that made it, there from its ends",
    "fd.lip": _LOCAL,
    "fd.lport": _LOCAL,
    "fd.name": _NAME,
    "fd.name_changed": _NAME,
    "fd.num": _NO_DESCRIPTOR,
    "fd.rip": _LOCAL,
    "fd.rport": _LOCAL,
    "fd.sip": _PEER,
    "fd.sockfamily": "setsockopt is about its socket by the newer table of events",
    "fd.sport": f"{_ENDS}; {_PEER}",
    "fd.sproto": "the name of the service, there the number",
    "fd.type": f"{_NO_DESCRIPTOR}; {_PEER}; {_TABLES}",
    "fd.typechar": f"{_NO_DESCRIPTOR}; {_PEER}; {_TABLES}",
    "fd.uid": _NO_DESCRIPTOR,
    "group.gid": "sysdig fills the upper half of old entries with other bytes",
    "group.name": _ANNOUNCED,
    "proc.aname[1]": f"{_PARENTS}; {_ANNOUNCED}",
    "proc.args": _ANNOUNCED,
    "proc.fdlimit": f"{_INVENTED} -1",
    "proc.fdopencount": _TABLES,
    "proc.is_exe_writable": _ANNOUNCED,
    "proc.name": _ANNOUNCED,
    "proc.nchilds": "threads of the process, also at its other threads, which have 0 there",
    "proc.pcmdline": _PARENTS,
    "proc.pid": _UNKNOWN,
    "proc.pname": _PARENTS,
    "proc.ppid": f"{_PARENTS}; {_INVENTED} -1",
    "proc.tty": "sysdig 0.29.3 does not read the terminal of newer process lists",
    "proc.vmrss": _MEMORY,
    "proc.vpid": _INNER,
    "syscall.type": "the end of a process and a signal are no system calls; sysdig lacks the names of some",
    "thread.cgroups": _UNKNOWN,
    "thread.exectime": _SWITCH,
    "thread.ismain": _UNKNOWN,
    "thread.pfmajor": _MEMORY,
    "thread.pfminor": _MEMORY,
    "thread.tid": _UNKNOWN,
    "thread.totexectime": _SWITCH,
    "thread.vmrss": _MEMORY,
    "thread.vtid": _INNER,
    "user.homedir": _USERS,
    "user.loginname": "as user.loginuid",
    "user.loginuid": f"sysdig reads the login id of version 9 lists from the wrong bytes; {_INVENTED} 0",
    "user.name": _USERS,
    "user.shell": _USERS,
    "user.uid": _USERS,
}
"""Fields whose values differ, and why."""

_ZEROS = (
    "a socket whose ends are not known has none; there zeros, or where it is about to connect to, are compared though "
    "they are not printed"
)
_FAMILY = "an address of one family is none of the other; sysdig compares their first bytes"
_TEXT = "sysdig prints an absent value as <NA> and takes it for a text of that name in filters"
FILTERS = {
    **dict.fromkeys(("fd.ip", "fd.port"), _ZEROS),
    **dict.fromkeys(("fd.cip", "fd.lip"), _FAMILY),
    "fd.net": f"{_ZEROS}; {_FAMILY}",
    "fd.l4proto": _TEXT,
    "proc.name": _TEXT,
    "proc.sname": _TEXT,
    "evt.failed": "`not not` is read as one `not` there; in the newer grammar they cancel out",
    "evt.rawarg.fd": _NEWER,
    "evt.rawarg.flags": _NEWER,
    "proc.is_exe_writable": "sysdig prints true and keeps nothing: it compares numbers of different sizes",
}
"""Fields of filters that keep others though the values printed are the same, and why."""
