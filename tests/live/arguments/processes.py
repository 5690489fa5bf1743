"""Cases of calls about processes, users and the kernel itself; see ``tests.live.arguments``."""

from __future__ import annotations

_TASK = (
    "tid={tid}({comm}) pid={tid}({comm}) ptid={ptid}({comm}) cwd= fdlimit={limit} pgft_maj=* pgft_min=* vm_size=* "
    "vm_rss=* vm_swap=*"
)
_CLONE = (
    "res={r}({comm}) exe={exe} args={args} "
    + _TASK
    + " comm={comm} cgroups=* flags=%s uid={uid} gid={gid} vtid={tid}({comm}) vpid={tid}({comm}) pidns_init_start_ts=0"
)
_ME = """
limit = os.sysconf("SC_OPEN_MAX"); ptid = os.getppid()
uid, gid, tid = os.getuid(), os.getgid(), os.getpid(); exe = sys.executable; args = "*"
"""
_REAP = "\nif r == 0: os._exit(0)\nos.waitpid(r, 0)"
_EXEC = (
    "res=0 exe=sh args=-c.exit 0 #. tid={tid}(sh) pid={tid}(sh) ptid={ptid}({comm}) cwd= fdlimit={limit} pgft_maj=* "
    "pgft_min=* vm_size=* vm_rss=* vm_swap=0 comm=sh cgroups=* env=WORD=known.OTHER=2. tty={tty} vpgid={pgid}* "
    "loginuid={loginuid}* flags=1(EXE_WRITABLE) cap_inheritable={inheritable:X} cap_permitted={permitted:X} "
    "cap_effective={effective:X} exe_ino={ino} exe_ino_ctime={ctime} exe_ino_mtime={mtime} uid=0(root) "
    "trusted_exepath={real} pgid={pgid}* gid=0(root)"
)
_EXECUTE = """
import re
status = open("/proc/self/status").read()
inheritable, permitted, effective = (int(re.search(f"Cap{x}:\\t(.*)", status)[1], 16) for x in ("Inh", "Prm", "Eff"))
real = os.path.realpath("/bin/sh"); facts = os.stat(real); ino = facts.st_ino
ctime, mtime = facts.st_ctime_ns, facts.st_mtime_ns
limit = os.sysconf("SC_OPEN_MAX"); ptid = os.getppid(); pgid = os.getpgid(0); tid = os.getpid()
loginuid = open("/proc/self/loginuid").read().replace("4294967295", "-1")
tty = int(open("/proc/self/stat").read().rpartition(")")[2].split()[4])
words = (ctypes.c_char_p * 4)(b"sh", b"-c", b"exit 0 #", None)
env = (ctypes.c_char_p * 3)(b"WORD=known", b"OTHER=2", None)
tell()
"""
_LIMIT = "struct.pack('<QQ', 111, 222)"

CASES: dict[str, tuple[str, str]] = {
    "clone": (
        _ME + "r = call(56, 0x00200000 | 0x400 | 17, 0, 0, 0, 0)" + _REAP,
        _CLONE % "8388609(CLONE_FILES|CLONE_CHILD_CLEARTID)",
    ),
    "clone3": (
        _ME + "r = call(435, struct.pack('<8Q', 0x00800000, 0, 0, 0, 17, 0, 0, 0), 64)" + _REAP,
        _CLONE % "16384(CLONE_UNTRACED)",
    ),
    "fork": (_ME + "r = call(57)" + _REAP, _CLONE % "0"),
    "execve": (_EXECUTE + "call(59, b'/bin/sh', words, env)", _EXEC + " filename=/bin/sh"),
    # One that succeeds is told as an execve: the kernel itself says so at its end.
    "execveat": (
        _EXECUTE + "exe = sys.executable; own = os.path.realpath(exe); ino = os.stat(own).st_ino\n"
        "ctime, mtime = os.stat(own).st_ctime_ns, os.stat(own).st_mtime_ns\n"
        "call(322, -100, b'/no/such/program', words, env, 0)",
        _EXEC.replace("res=0 exe=sh args=-c.exit 0 #.", "res=-2(ENOENT) exe={exe} args=*")
        .replace("(sh)", "({comm})")
        .replace("comm=sh", "comm={comm}")
        .replace("env=WORD=known.OTHER=2.", "env=*")
        .replace("{real}", "{own}"),
    ),
    "prctl": ("call(157, 15, b'other name')", "res=0 option=15(PR_SET_NAME) arg2_str=other name arg2_int=-"),
    "setsid": ("r = call(112)", "res={r}({comm})"),
    "setpgid": ("call(109, 0, 0)", "res=0 pid=0 pgid=0"),
    "setuid": ("call(105, 65534)", "res=0 uid=65534(nobody)"),
    "setgid": ("call(106, 65534)", "res=0 gid=65534(nogroup)"),
    "setreuid": ("call(113, -1, 65534)", "res=0 ruid=-1 euid=65534(nobody)"),
    "setregid": ("call(114, -1, 65534)", "res=0 rgid=-1 egid=65534(nobody)"),
    "setresuid": ("call(117, -1, 65534, 0)", "res=0 ruid=-1 euid=65534(nobody) suid=0(root)"),
    "setresgid": ("call(119, -1, 65534, 0)", "res=0 rgid=-1 egid=65534(nogroup) sgid=0(root)"),
    "getuid": ("call(102)", "uid=0(root)"),
    "geteuid": ("call(117, -1, 65534, 0); call(107)", "euid=65534(nobody)"),
    "getgid": ("call(104)", "gid=0(root)"),
    "getegid": ("call(119, -1, 65534, 0); call(108)", "egid=65534(nogroup)"),
    "getresuid": (
        "call(117, -1, 65534, 0); call(118, bytes(4), bytes(4), bytes(4))",
        "res=0 ruid=0(root) euid=65534(nobody) suid=0(root)",
    ),
    "getresgid": (
        "call(119, -1, 65534, 0); call(120, bytes(4), bytes(4), bytes(4))",
        "res=0 rgid=0(root) egid=65534(nogroup) sgid=0(root)",
    ),
    "capset": (
        "call(126, struct.pack('<II', 0x20080522, 0), struct.pack('<6I', 1, 0x23, 0, 0, 4, 0))",
        "res=0 cap_inheritable=0 cap_permitted=400000023 cap_effective=1",
    ),
    "getrlimit": (
        "call(160, 4, " + _LIMIT + "); call(97, 4, bytes(16))",
        "res=0 cur=111 max=222 resource=4(RLIMIT_CORE)",
    ),
    "setrlimit": ("call(160, 4, " + _LIMIT + ")", "res=0 cur=111 max=222 resource=4(RLIMIT_CORE)"),
    "prlimit": (
        "call(160, 4, struct.pack('<QQ', 7, 300)); call(302, 0, 4, " + _LIMIT + ", bytes(16))",
        "res=0 newcur=111 newmax=222 oldcur=7 oldmax=300 pid=0 resource=4(RLIMIT_CORE)",
    ),
    "setns": (
        "import fcntl; fd = os.open('/proc/self/ns/uts', os.O_RDONLY); call(308, fd, 0x04000000)",
        "res=0 fd={fd}* nstype=128(CLONE_NEWUTS)",
    ),
    "unshare": ("call(272, 0x04000000 | 0x400)", "res=0 flags=129(CLONE_FILES|CLONE_NEWUTS)"),
    "seccomp": ("call(317, 2, 0, struct.pack('<I', 0x7fff0000))", "res=* op=2 flags=0"),
    "ptrace": (
        "call(101, 16, 999999, 0x11, 0x22)",
        "res=-3(ESRCH) addr=11 data=22 request=*(PTRACE_ATTACH) pid=999999",
    ),
    "init_module": (
        "call(175, b'no module at all', 16, b'word=1')",
        "res=* img=no module at all length=16 uargs=word=1",
    ),
    "finit_module": (
        "call(313, -1, b'word=1', 3)",
        "res=* fd=-1(EPERM) uargs=word=1 flags=3(MODULE_INIT_IGNORE_MODVERSIONS|MODULE_INIT_IGNORE_VERMAGIC)",
    ),
    "delete_module": (
        "call(176, b'no_such_module', os.O_NONBLOCK)",
        "res=* name=no_such_module flags=2(O_NONBLOCK)",
    ),
}
