"""Cases of calls about memory, time, signals and what processes share; see ``tests.live.arguments``."""

from __future__ import annotations

_SPACE = "vm_size=* vm_rss=* vm_swap=0"
_MAP = "import mmap\nroom = mmap.mmap(-1, 16384); at = ctypes.addressof(ctypes.c_char.from_buffer(room))\n"
_SEMAPHORES = "semid = call(64, 0, 3, 0o1600)\n"

CASES: dict[str, tuple[str, str]] = {
    "brk": ("r = call(12, 0)", "res={r:X} " + _SPACE + " addr=0"),
    "mmap": (
        "fd = os.open('f', os.O_CREAT | os.O_RDWR); os.truncate(fd, 16384)\nr = call(9, 0, 4096, 3, 1, fd, 8192)",
        "res={r:X} " + _SPACE + " addr=0 length=4096 prot=3(PROT_READ|PROT_WRITE) flags=1(MAP_SHARED) "
        "fd={fd}(<f>{here}/f) offset=8192",
    ),
    "munmap": ("r = call(9, 0, 8192, 3, 34, -1, 0); call(11, r, 8192)", "res=0 " + _SPACE + " addr={r:X} length=8192"),
    "mprotect": (_MAP + "call(10, at, 4096, 1)", "res=0 addr={at:X} length=4096 prot=1(PROT_READ)"),
    "mlock": (_MAP + "call(149, at, 4096)", "res=* addr={at:X} len=4096"),
    "munlock": (_MAP + "call(150, at, 4096)", "res=* addr={at:X} len=4096"),
    "mlock2": (_MAP + "call(325, at, 4096, 1)", "res=* addr={at:X} len=4096 flags=1(MLOCK_ONFAULT)"),
    "mlockall": ("call(151, 2)", "res=* flags=2(MCL_FUTURE)"),
    "munlockall": ("call(152)", "res=*"),
    "futex": (
        "word = ctypes.c_int(5); at = ctypes.addressof(word); call(202, word, 0x80, 6, 0, 0, 0)",
        "res=-11(EAGAIN) addr={at:X} op=128(FUTEX_PRIVATE_FLAG) val=6",
    ),
    "nanosleep": ("call(35, struct.pack('<QQ', 0, 1500000), 0)", "res=0 interval=1500000(0.0015s)"),
    "kill": ("me = os.getpid(); call(62, me, 0)", "res=0 pid={me}({comm}) sig=0"),
    "tkill": (
        "import signal; signal.signal(12, signal.SIG_IGN); me = os.getpid(); call(200, me, 12)",
        "res=0 tid={me}({comm}) sig=12(SIGUSR2)",
    ),
    "tgkill": (
        "import signal; signal.signal(10, signal.SIG_IGN); me = os.getpid(); call(234, me, me, 10)",
        "res=0 pid={me}({comm}) tid={me}({comm}) sig=10(SIGUSR1)",
    ),
    "semget": (
        "r = call(64, 0x5a5a, 3, 0o3600)\ncall(66, r, 0, 0, 0)",
        "res={r} key=5A5A nsems=3 semflg=24576(IPC_EXCL|IPC_CREAT)",
    ),
    "semop": (
        _SEMAPHORES + "call(65, semid, struct.pack('<HhHHhHHhH', 0, 3, 0, 2, 7, 0o4000 | 0x1000, 1, 1, 0x1000), 3)\n"
        "call(66, semid, 0, 0, 0)",
        "res=0 nsops=3 sem_num_0=0 sem_op_0=3 sem_flg_0=0 sem_num_1=2 sem_op_1=7 sem_flg_1=3(IPC_NOWAIT|SEM_UNDO) "
        "semid={semid}",
    ),
    "semctl": (
        _SEMAPHORES + "call(66, semid, 1, 16, 44); call(66, semid, 1, 0, 0)",
        "res=0 semid={semid} semnum=1 cmd=4(IPC_RMID) val=0",
    ),
    "keyctl": (
        "call(250, 10, -3, b'user', b'no such key', 0)",
        "res=* operation=10(KEYCTL_SEARCH) arg2=-3 arg3=user arg4=no such key arg5=0",
    ),
    "process_vm_readv": (
        "me = os.getpid(); call(310, me, parts(bytes(4), bytes(5)), 2, parts(b'from afar'), 1, 0)",
        "res=9 pid={me}({comm}) data=from afar",
    ),
    "process_vm_writev": (
        "me = os.getpid(); call(311, me, parts(b'to ', b'afar'), 2, parts(bytes(7)), 1, 0)",
        "res=7 pid={me}({comm}) data=to afar",
    ),
}
