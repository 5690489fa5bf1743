"""Cases of calls about files and their names; see ``tests.live.arguments``."""

from __future__ import annotations

from tests.live.arguments.scripts import FILE as _FILE
from tests.live.arguments.scripts import INODE as _INO

_STAT = "{dev:X} ino={ino}"

CASES: dict[str, tuple[str, str]] = {
    # files
    "open": (
        'r = call(2, p("x"), os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o640)' + _INO,
        "fd={r}(<f>{here}/x) name={here}/x flags=20494(O_APPEND|O_CREAT|O_WRONLY|O_CLOEXEC|O_F_CREATED) mode=0640 "
        "dev=" + _STAT,
    ),
    "creat": (
        'r = call(85, p("x"), 0o604)' + _INO,
        "fd={r}(<f>{here}/x) name={here}/x mode=0604 dev=" + _STAT + " creat_flags=0",
    ),
    "openat": (
        'os.mkdir("d"); d = os.open("d", os.O_RDONLY)\n'
        'r = call(257, d, b"x", os.O_CREAT | os.O_RDWR | os.O_EXCL, 0o600)' + _INO,
        "fd={r}(<f>{here}/d/x) dirfd={d}(<f>{here}/d) name=x({here}/d/x) "
        "flags=16423(O_EXCL|O_CREAT|O_RDWR|O_F_CREATED) mode=0600 dev=" + _STAT,
    ),
    "openat2": (
        'how = ctypes.create_string_buffer(struct.pack("<QQQ", os.O_CREAT | os.O_RDWR, 0o620, 8), 24)\n'
        'r = call(437, -100, b"x", how, 24)' + _INO,
        "fd={r}(<f>{here}/x) dirfd=-100(AT_FDCWD) name=x({here}/x) flags=16391(O_CREAT|O_RDWR|O_F_CREATED) mode=0620 "
        "resolve=1(RESOLVE_BENEATH) dev=" + _STAT,
    ),
    "open_by_handle_at": (
        'os.chdir("/"); top = os.open("/", os.O_RDONLY); where = ctypes.c_int()\n'
        'handle = ctypes.create_string_buffer(struct.pack("<Ii", 128, 0), 144)\n'
        'call(303, top, b"etc", handle, where, 0)\n'
        "r = call(304, top, handle, os.O_RDONLY | os.O_DIRECTORY)" + _INO,
        "fd={r}(<d>/etc) mountfd={top}(<f>/) flags=1025(O_DIRECTORY|O_RDONLY) path=/etc dev=" + _STAT,
    ),
    "close": (_FILE + "call(3, fd)", "res=0 fd={fd}(<f>{here}/f)"),
    "read": (
        _FILE + "r = call(0, fd, bytes(64), 64)",
        "res=10 data=0123456789 fd={fd}(<f>{here}/f) size=64",
    ),
    "write": (_FILE + 'call(1, fd, b"abcdef", 6)', "res=6 data=abcdef fd={fd}(<f>{here}/f) size=6"),
    "pread": (
        _FILE + "call(17, fd, bytes(64), 64, 4)",
        "res=6 data=456789 fd={fd}(<f>{here}/f) size=64 pos=4",
    ),
    "pwrite": (
        _FILE + 'call(18, fd, b"abc", 3, 1 << 33)',
        "res=3 data=abc fd={fd}(<f>{here}/f) size=3 pos=8589934592",
    ),
    "readv": (
        _FILE + "call(19, fd, parts(bytes(3), bytes(4)), 2)",
        "res=7 size=7 data=0123456 fd={fd}(<f>{here}/f)",
    ),
    "writev": (
        _FILE + 'call(20, fd, parts(b"one-", b"two"), 2)',
        "res=7 data=one-two fd={fd}(<f>{here}/f) size=7",
    ),
    "preadv": (
        _FILE + "call(295, fd, parts(bytes(3), bytes(9)), 2, 2, 0)",
        "res=8 size=12 data=23456789 fd={fd}(<f>{here}/f) pos=2",
    ),
    "pwritev": (
        _FILE + 'call(296, fd, parts(b"one-", b"two"), 2, 5, 0)',
        "res=7 data=one-two fd={fd}(<f>{here}/f) size=7 pos=5",
    ),
    "lseek": (_FILE + "call(8, fd, 3, 2)", "res=13 fd={fd}(<f>{here}/f) offset=3 whence=2(SEEK_END)"),
    "copy_file_range": (
        _FILE + 'to = os.open("t", os.O_CREAT | os.O_RDWR)\ncall(326, fd, quad(2), to, quad(0), 5, 0)',
        "res=5 fdout={to}(<f>{here}/t) offout=5 fdin={fd}(<f>{here}/f) offin=7 len=5",
    ),
    "sendfile": (
        _FILE + 'to = os.open("t", os.O_CREAT | os.O_RDWR)\ncall(40, to, fd, quad(4), 3)',
        "res=3 offset=7 out_fd={to}(<f>{here}/t) in_fd={fd}(<f>{here}/f) size=3",
    ),
    "splice": (
        _FILE + "r, w = os.pipe()\ncall(275, fd, 0, w, 0, 6, 3)",
        "res=6 fd_in={fd}(<f>{here}/f) fd_out={w}(<p>) size=6 flags=3(SPLICE_F_MOVE|SPLICE_F_NONBLOCK)",
    ),
    "flock": (_FILE + "call(73, fd, 6)", "res=0 fd={fd}(<f>{here}/f) operation=6(LOCK_EX|LOCK_NB)"),
    "fcntl": (
        _FILE + "r = call(72, fd, 1030, 90)",
        "res={r}(<f>{here}/f) fd={fd}(<f>{here}/f) cmd=26(F_DUPFD_CLOEXEC) arg=5A",
    ),
    "ioctl": (
        _FILE + "call(16, fd, 0x5421, 0)",
        "res=-14(EFAULT) fd={fd}(<f>{here}/f) request=5421 argument=0",
    ),
    "dup": (_FILE + "r = call(32, fd)", "res={r}(<f>{here}/f) oldfd={fd}(<f>{here}/f)"),
    "dup2": (_FILE + "call(33, fd, 77)", "res=77(<f>{here}/f) oldfd={fd}(<f>{here}/f) newfd=77(<f>{here}/f)"),
    "dup3": (
        _FILE + "call(292, fd, 78, os.O_CLOEXEC)",
        "res=78(<f>{here}/f) oldfd={fd}(<f>{here}/f) newfd=78(<f>{here}/f) flags=4096(O_CLOEXEC)",
    ),
    "close_range": ("call(436, 700, 800, 4)", "res=0 first=700 last=800 flags=4(CLOSE_RANGE_CLOEXEC)"),
    "getdents": ("d = os.open('.', os.O_RDONLY)\nr = call(78, d, bytes(512), 512)", "res={r} fd={d}(<f>{here})"),
    "getdents64": ("d = os.open('.', os.O_RDONLY)\nr = call(217, d, bytes(512), 512)", "res={r} fd={d}(<f>{here})"),
    # names
    "stat": ('call(4, p("x"), bytes(144))', "res=-2(ENOENT) path={here}/x"),
    "lstat": ('call(6, b"x", bytes(144))', "res=-2(ENOENT) path=x({here}/x)"),
    "fstat": (_FILE + "call(5, fd, bytes(144))", "res=0 fd={fd}(<f>{here}/f)"),
    "newfstatat": (
        'call(262, -100, b"x", bytes(144), 0x100)',
        "res=-2(ENOENT) dirfd=-100(AT_FDCWD) path=x({here}/x) flags=256(AT_SYMLINK_NOFOLLOW)",
    ),
    "access": ('call(21, p("x"), 6)', "res=-2(ENOENT) name={here}/x mode=6(R_OK|W_OK)"),
    "chdir": ('os.mkdir("d")\ncall(80, b"d")', "res=0 path=d"),
    "fchdir": ('os.mkdir("d"); d = os.open("d", os.O_RDONLY)\ncall(81, d)', "res=0 fd={d}(<f>{here}/d)"),
    "getcwd": ("r = call(79, bytes(512), 512)", "res={r} path={here}"),
    "chroot": ('os.mkdir("d")\ncall(161, b"d")', "res=0 path=d({here}/d)"),
    "mkdir": ('call(83, b"d", 0o750)', "res=0 path=d({here}/d) mode=1E8"),
    "mkdirat": ('call(258, -100, b"d", 0o701)', "res=0 dirfd=-100(AT_FDCWD) path=d({here}/d) mode=1C1"),
    "rmdir": ('os.mkdir("d")\ncall(84, p("d"))', "res=0 path={here}/d"),
    "rename": ('os.mkdir("d")\ncall(82, b"d", p("e"))', "res=0 oldpath=d({here}/d) newpath={here}/e"),
    "renameat": (
        'os.mkdir("d"); d = os.open(".", os.O_RDONLY)\ncall(264, d, b"d", -100, b"e")',
        "res=0 olddirfd={d}(<f>{here}) oldpath=d({here}/d) newdirfd=-100(AT_FDCWD) newpath=e({here}/e)",
    ),
    "renameat2": (
        'os.mkdir("d"); os.mkdir("e")\ncall(316, -100, b"d", -100, b"e", 2)',
        "res=0 olddirfd=-100(AT_FDCWD) oldpath=d({here}/d) newdirfd=-100(AT_FDCWD) newpath=e({here}/e) "
        "flags=2(RENAME_EXCHANGE)",
    ),
    "link": ('open("f", "w")\ncall(86, b"f", b"g")', "res=0 oldpath=f({here}/f) newpath=g({here}/g)"),
    "linkat": (
        'open("f", "w"); d = os.open(".", os.O_RDONLY)\ncall(265, d, b"f", -100, b"g", 0x400)',
        "res=0 olddir={d}(<f>{here}) oldpath=f({here}/f) newdir=-100(AT_FDCWD) newpath=g({here}/g) "
        "flags=1024(AT_SYMLINK_FOLLOW)",
    ),
    "symlink": ('call(88, b"to where", b"s")', "res=0 target=to where linkpath=s({here}/s)"),
    "symlinkat": (
        'call(266, b"elsewhere", -100, b"s")',
        "res=0 target=elsewhere linkdirfd=-100(AT_FDCWD) linkpath=s({here}/s)",
    ),
    "unlink": ('open("f", "w")\ncall(87, b"f")', "res=0 path=f({here}/f)"),
    "unlinkat": (
        'os.mkdir("d")\ncall(263, -100, b"d", 0x200)',
        "res=0 dirfd=-100(AT_FDCWD) name=d({here}/d) flags=512(AT_REMOVEDIR)",
    ),
    "chmod": (
        'open("f", "w")\ncall(90, b"f", 0o2750)',
        "res=0 filename=f({here}/f) mode=02750(S_IXGRP|S_IRGRP|S_IXUSR|S_IWUSR|S_IRUSR|S_ISGID)",
    ),
    "fchmod": (_FILE + "call(91, fd, 0o444)", "res=0 fd={fd}(<f>{here}/f) mode=0444(S_IROTH|S_IRGRP|S_IRUSR)"),
    "fchmodat": (
        'open("f", "w")\ncall(268, -100, b"f", 0o600)',
        "res=0 dirfd=-100(AT_FDCWD) filename=f({here}/f) mode=0600(S_IWUSR|S_IRUSR)",
    ),
    "chown": ('open("f", "w")\ncall(92, b"f", 12, 34)', "res=0 path=f({here}/f) uid=12 gid=34"),
    "lchown": ('open("f", "w")\ncall(94, p("f"), 12, 34)', "res=0 path={here}/f uid=12 gid=34"),
    "fchown": (_FILE + "call(93, fd, 12, -1)", "res=0 fd={fd}(<f>{here}/f) uid=12 gid=4294967295"),
    "fchownat": (
        'open("f", "w")\ncall(260, -100, b"f", 12, 34, 0x100)',
        "res=0 dirfd=-100(AT_FDCWD) pathname=f({here}/f) uid=12 gid=34 flags=1024(AT_SYMLINK_NOFOLLOW)",
    ),
    "mknod": (
        'call(133, b"n", 0o010640, 0)',
        "res=0 path=n({here}/n) mode=010640(S_IRGRP|S_IWUSR|S_IRUSR|S_IFIFO) dev=0",
    ),
    "mknodat": (
        'call(259, -100, b"n", 0o020600, 0x103)',
        "res=* dirfd=-100(AT_FDCWD) path=n({here}/n) mode=020600(S_IWUSR|S_IRUSR|S_IFCHR) dev=259",
    ),
    "mount": (
        'os.mkdir("d")\ncall(165, b"what", p("d"), b"nosuchfs", 0xC0ED0000 | 10, 0)',
        "res=-19(ENODEV) dev=what dir={here}/d type=nosuchfs flags=10(NOSUID|NOEXEC)",
    ),
    "umount2": ('os.mkdir("d")\ncall(166, p("d"), 10)', "res=-22(EINVAL) name={here}/d flags=10(DETACH|NOFOLLOW)"),
    "fsconfig": (
        'call(431, -1, 1, b"source", b"what", 0)',
        "res=-22(EINVAL) fd=-1(EPERM) cmd=1(FSCONFIG_SET_STRING) key=source value_bytebuf=- value_charbuf=what aux=0",
    ),
    "quotactl": (
        "limits = struct.pack('<QQQQQQQQI4x', 11, 12, 13, 14, 15, 16, 17, 18, 63)\n"
        "call(179, 0x800008 << 8 | 1, b'/dev/none', 1000, limits)",
        "res=* special=/dev/none quotafilepath=- dqb_bhardlimit=11 dqb_bsoftlimit=12 dqb_curspace=13 "
        "dqb_ihardlimit=14 dqb_isoftlimit=15 dqb_btime=17(1.7e-08s) dqb_itime=18(1.8e-08s) dqi_bgrace=- "
        "dqi_igrace=- dqi_flags=- quota_fmt_out=- cmd=64(Q_SETQUOTA) type=2(GRPQUOTA) id=1000 quota_fmt=-",
    ),
}
