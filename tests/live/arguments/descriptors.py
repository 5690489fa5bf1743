"""Cases of calls that make descriptors of other kinds, and that wait for them; see ``tests.live.arguments``."""

from __future__ import annotations

from tests.live.arguments.scripts import FILE as _FILE

_PAIR = "pair = ctypes.create_string_buffer(8)\n"
_MADE = "\none, two = struct.unpack('<ii', pair)"

CASES: dict[str, tuple[str, str]] = {
    "pipe": (
        _PAIR + "call(22, pair)" + _MADE + "\nino = os.fstat(one).st_ino",
        "res=0 fd1={one}(<p>) fd2={two}(<p>) ino={ino}",
    ),
    "pipe2": (
        _PAIR + "call(293, pair, os.O_NONBLOCK | os.O_CLOEXEC)" + _MADE + "\nino = os.fstat(one).st_ino",
        "res=0 fd1={one}(<p>) fd2={two}(<p>) ino={ino} flags=4160(O_NONBLOCK|O_CLOEXEC)",
    ),
    "eventfd": ("r = call(284, 5)", "res={r}(<e>) initval=5 flags=0"),
    "eventfd2": ("r = call(290, 5, os.O_CLOEXEC)", "res={r}(<e>) flags=4096(O_CLOEXEC) initval=5"),
    "signalfd": ("r = call(282, -1, quad(1 << 11), 8)", "res={r}(<s>) fd=-1(EPERM) mask=800 flags=0"),
    "signalfd4": (
        "r = call(289, -1, quad(1 << 11), 8, os.O_NONBLOCK)",
        "res={r}(<s>) flags=64(O_NONBLOCK) fd=-1(EPERM) mask=800",
    ),
    "timerfd_create": ("r = call(283, 1, os.O_CLOEXEC)", "res={r}(<t>) clockid=1 flags=0"),
    "inotify_init": ("r = call(253)", "res={r}(<i>) flags=0"),
    "inotify_init1": ("r = call(294, os.O_NONBLOCK)", "res={r}(<i>) flags=64(O_NONBLOCK)"),
    "epoll_create": ("r = call(213, 9)", "res={r} size=9"),
    "epoll_create1": ("r = call(291, os.O_CLOEXEC)", "res={r} flags=1(EPOLL_CLOEXEC)"),
    "epoll_wait": ("r = call(291, 0); call(232, r, bytes(120), 10, 0)", "res=0 maxevents=10"),
    "memfd_create": (
        "r = call(319, b'memory', 3)",
        "fd={r}(<m>memory) name=memory flags=3(MFD_CLOEXEC|MFD_ALLOW_SEALING)",
    ),
    "userfaultfd": ("r = call(323, os.O_CLOEXEC)", "res={r}* flags=4096(O_CLOEXEC)"),
    "pidfd_open": (
        "me = os.getpid(); r = call(434, me, os.O_NONBLOCK)",
        "fd={r}(<P>/proc/{me}) pid={me}({comm}) flags=1(PIDFD_NONBLOCK)",
    ),
    "pidfd_getfd": (
        _FILE + "me = os.getpid(); one = call(434, me, 0); r = call(438, one, fd, 0)",
        "fd={r}(<f>{here}/f) pid_fd={one}(<P>/proc/{me}) target_fd={fd}(<f>{here}/f) flags=0",
    ),
    "io_uring_setup": (
        "params = ctypes.create_string_buffer(struct.pack('<IIIIIII92x', 0, 0, 8, 5, 250, 0, 0))\n"
        "r = call(425, 4, params)\n"
        "sq, cq, flags, cpu, idle, features, _ = struct.unpack('<IIIIIII92x', params.raw[:120])",
        "res={r}* entries=4 sq_entries={sq} cq_entries={cq} flags=16(IORING_SETUP_CQSIZE) sq_thread_cpu={cpu} "
        "sq_thread_idle={idle} features=*",
    ),
    "io_uring_enter": (
        "call(426, 999, 3, 2, 1, quad(1 << 9), 8)",
        "res=-9(EBADF) fd=999 to_submit=3 min_complete=2 flags=1(IORING_ENTER_GETEVENTS) sig=SIGUSR1",
    ),
    "io_uring_register": (
        "call(427, 999, 4, 0x77, 2)",
        "res=-9(EBADF) fd=999 opcode=4(IORING_REGISTER_EVENTFD) arg=77 nr_args=2",
    ),
    "bpf": ("call(321, 5, bytes(8), 8)", "fd=-* cmd=5(BPF_PROG_LOAD)"),
    "poll": (
        "r, w = os.pipe(); other, _ = os.pipe(); os.write(w, b'x')\n"
        "call(7, struct.pack('<iHHiHH', r, 1, 0, other, 1, 0), 2, 50)",
        "res=1 fds={r}:p1 timeout=50",
    ),
    "ppoll": (
        "r, w = os.pipe(); os.write(w, b'x')\n"
        "call(271, struct.pack('<iHHiHH', r, 1, 0, w, 4, 0), 2, struct.pack('<QQ', 1, 500), quad(1 << 9), 8)",
        "res=2 fds={r}:p1 {w}:p4 timeout=1000000500(1s) sigmask=SIGUSR1",
    ),
    "select": ("call(23, 0, 0, 0, 0, struct.pack('<QQ', 0, 1000))", "res=0"),
}
