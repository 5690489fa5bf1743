"""Why our filters keep other events than sysdig 0.29.3's, by the fields whose values differ in those events.

How the printed values differ is held cell by cell in ``tests/engine/oracle_rules``; here is why both are no mistake of
ours. What a newer library does counts, ``filter-language.md`` says.
"""

_NO_DESCRIPTOR = "events about no descriptor have none, there number -1, an empty name or a guessed kind; mmap has one"
_ENDS = "ends that are not known are absent, there they are zero, or left over from other events"
_PEER = "sysdig reads the peer of a bound UDP socket from the wrong bytes"
_LOCAL = "which end is local goes by who connected, there by the machine's interfaces, which container addresses miss"
_PARENTS = "sysdig names the process itself, or an invented parent, where the capture tells no parent"
_NEWER = "the parameter was added after sysdig 0.29.3"
_UNKNOWN = "of threads without facts nothing is known; sysdig invents some, as id -1 or the text <NA>"
_USERS = "events tell the user since, in a parameter that sysdig 0.29.3 does not know; names are the capture's own"
_LEFT_OVER = "for a string that is not there sysdig repeats the text of the parameter printed before"
_MEMORY = "as of the process's last clone or exec, there as of the thread's last switch, too"
_CONTAINERS = "containers are recognised by cgroup names that sysdig 0.29.3 does not know"
_LATENCY = "of an exit without an enter no latency is known, and switches have none; sysdig repeats an older one"
_SWITCH = "only a slice whose beginning was seen on its processor counts, there also time since an earlier switch"

FIELDS = {
    "container.id": _CONTAINERS,
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
    "evt.buflen": "only calls that move bytes have a length, there close and fcntl have length 0",
    "evt.deltatime": "time may go back, there a huge number; the first event of all has none before it",
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
    "fd.containerdirectory": _NO_DESCRIPTOR,
    "fd.containername": _NO_DESCRIPTOR,
    "fd.cport": _ENDS,
    "fd.cproto": _ENDS,
    "fd.dev": "a device that is not known is absent, there 0",
    "fd.dev.major": "as fd.dev",
    "fd.directory": _NO_DESCRIPTOR,
    "fd.filename": _NO_DESCRIPTOR,
    "fd.is_server": "only sockets have a server's end; accepted connections are it",
    "fd.l4proto": "a socket has its protocol from the call that made it, there from its ends",
    "fd.lip": _LOCAL,
    "fd.lport": _LOCAL,
    "fd.name": _NO_DESCRIPTOR,
    "fd.name_changed": _NO_DESCRIPTOR,
    "fd.num": _NO_DESCRIPTOR,
    "fd.rip": _LOCAL,
    "fd.rport": _LOCAL,
    "fd.sip": _PEER,
    "fd.sockfamily": "setsockopt is about its socket by the newer table of events",
    "fd.sport": _ENDS,
    "fd.sproto": "the name of the service, there the number",
    "fd.type": _NO_DESCRIPTOR,
    "fd.typechar": _NO_DESCRIPTOR,
    "fd.uid": _NO_DESCRIPTOR,
    "group.gid": "sysdig fills the upper half of old entries with other bytes",
    "proc.fdlimit": "as the process list tells, there -1",
    "proc.nchilds": "threads are those alive at the event, there those known by now",
    "proc.pcmdline": _PARENTS,
    "proc.pid": _UNKNOWN,
    "proc.pname": _PARENTS,
    "proc.ppid": _PARENTS,
    "proc.tty": "sysdig 0.29.3 does not read the terminal of newer process lists",
    "proc.vmrss": _MEMORY,
    "proc.vpid": _UNKNOWN,
    "syscall.type": "the end of a process is no system call",
    "thread.cgroups": _UNKNOWN,
    "thread.exectime": _SWITCH,
    "thread.ismain": _UNKNOWN,
    "thread.pfmajor": _MEMORY,
    "thread.pfminor": _MEMORY,
    "thread.tid": _UNKNOWN,
    "thread.totexectime": _SWITCH,
    "thread.vmrss": _MEMORY,
    "thread.vtid": _UNKNOWN,
    "user.homedir": _USERS,
    "user.loginname": "as user.loginuid",
    "user.loginuid": "sysdig reads the login id of some lists from the wrong bytes",
    "user.name": _USERS,
    "user.shell": _USERS,
    "user.uid": _USERS,
}
"""Fields whose values differ, and why."""

_ZEROS = "a socket whose ends are not known has none, there zeros, which filters compare though they are not printed"
_TEXT = "sysdig prints an absent value as <NA> and takes it for a text of that name in filters"
FILTERS = {
    **dict.fromkeys(("fd.ip", "fd.port", "fd.net", "fd.cip", "fd.lip"), _ZEROS),
    "fd.l4proto": _TEXT,
    "proc.name": _TEXT,
    "proc.sname": _TEXT,
    "evt.failed": "`not not` is read as one `not` there; in the newer grammar they cancel out",
    "evt.rawarg.fd": _NEWER,
    "proc.is_exe_writable": "sysdig prints true and keeps nothing: it compares numbers of different sizes",
}
"""Fields of filters that keep others though the values printed are the same, and why."""
