"""What each system call's arguments are: the one declaration that ``calls`` works out.

A line is ``native number, event type, sources of its parameters in table order``. Sources:

======================  ==============================================================================
``ret``                 the result
``a1`` ``i1``           argument 1 as 64 bits, as a signed 32-bit number
``table:1``             argument 1 through a table of ``flags`` (``table:SOURCE`` for other sources)
``s1``                  string at argument 1
``e1.2.6.4``            4 bytes into the array at argument 1 of as many 6-byte structures as argument 2 tells
``d1.2`` ``d1``         data at argument 1 of the length in argument 2, of the result; cut at the snap length
``v1.2.size`` ``.data`` parts (iovec) at argument 1, number in argument 2: their sum, their data
``m1.…`` ``mm1.…``      msghdr, mmsghdr at argument 1: size, data, name (with both ends), control
``@1.2`` ``@4*5``       socket address at argument 1 of the length in argument 2; in what argument 5 points at
``x1.16.8``             8 bytes into the 16-byte structure at argument 1
``ino.ret`` ``dev.…``   inode and device of the fd that is the result (``pipe``: that the first of argument 0's is)
``out.0`` ``in.ret``    ends of the socket argument 0 is, local first, or remote first. ``out.0@4.5``: read only if
                        argument 4 is given, which then is the remote end
``queue.0`` …           pct, len, max of the socket argument 0 is
``vm_size`` …           memory of the process after the call
``-``                   not known at exit
``zero``                0, or an empty string
``…?1=2,3``             only when argument 1 is 2 or 3; ``?1/8=2``: argument 1 shifted right by 8; ``?1!2``: is not;
                        ``?ret+``: the result is positive
======================  ==============================================================================

Others name an operation of their own (``Op``).
"""

from __future__ import annotations

TABLE = """
2 open: fd=ret name=s0 flags=open:1 mode=mode:2,1 dev=dev.ret ino=ino.ret
3 close: res=ret fd=i0
0 read: res=ret data=d1 fd=i0 size=a2
1 write: res=ret data=d1 fd=i0 size=a2
41 socket: fd=ret domain=i0 type=i1 proto=i2 flags=socket_flags:1
49 bind: res=ret addr=@1.2 fd=i0
42 connect: res=ret tuple=out.0 fd=i0 addr=@1.2
50 listen: res=ret fd=i0 backlog=i1
44 sendto: res=ret data=d1 fd=i0 size=a2 tuple=out.0@4.5
45 recvfrom: res=ret data=d1 tuple=in.0@4*5 fd=i0 size=a2
48 shutdown: res=ret fd=i0 how=a1
51 getsockname:
52 getpeername:
53 socketpair: res=ret fd1=x3.8.0 fd2=x3.8.4 source=ends.3.self peer=ends.3.peer domain=i0 type=i1 proto=i2
54 setsockopt: res=ret fd=i0 level=sockopt_levels:1 optname=sockopt_options:2 val=option:3.4 optlen=a4
55 getsockopt: res=ret fd=i0 level=sockopt_levels:1 optname=sockopt_options:2 val=option:3*4 optlen=x4.4.0
46 sendmsg: res=ret data=m1.data fd=i0 size=m1.size tuple=out.m1
307 sendmmsg: res=ret fd=i0 size=mm1.size data=mm1.data tuple=out.mm1
47 recvmsg: res=ret size=m1.size data=m1.data tuple=in.m1 msgcontrol=m1.control fd=i0
299 recvmmsg: res=ret fd=i0 size=mm1.size data=mm1.data tuple=in.mm1 msgcontrol=mm1.control
85 creat: fd=ret name=s0 mode=a1 dev=dev.ret ino=ino.ret creat_flags=layer
22 pipe: res=ret fd1=x0.8.0 fd2=x0.8.4 ino=ino.pipe
284 eventfd: res=ret initval=a0 flags=zero
202 futex: res=ret addr=a0 op=a1 val=a2
4 stat: res=ret path=s0
6 lstat: res=ret path=s0
5 fstat: res=ret fd=i0
232 epoll_wait: res=ret maxevents=i2
7 poll: res=ret fds=poll:0.1 timeout=i2
23 select: res=ret
8 lseek: res=ret fd=i0 offset=a1 whence=a2
79 getcwd: res=ret path=s0?ret+
80 chdir: res=ret path=s0
81 fchdir: res=ret fd=i0
17 pread: res=ret data=d1 fd=i0 size=a2 pos=a3
18 pwrite: res=ret data=d1 fd=i0 size=a2 pos=a3
19 readv: res=ret size=v1.2.size data=v1.2.data fd=i0
20 writev: res=ret data=v1.2.data fd=i0 size=v1.2.size
295 preadv: res=ret size=v1.2.size data=v1.2.data fd=i0 pos=a3
296 pwritev: res=ret data=v1.2.data fd=i0 size=v1.2.size pos=a3
282 signalfd: res=ret fd=i0 mask=x1.8.0 flags=zero
62 kill: res=ret pid=i0 sig=a1
200 tkill: res=ret tid=i0 sig=a1
234 tgkill: res=ret pid=i0 tid=i1 sig=a2
35 nanosleep: res=ret interval=duration:0
283 timerfd_create: res=ret clockid=a0 flags=a1
253 inotify_init: res=ret flags=zero
97 getrlimit: res=ret cur=x1.16.0 max=x1.16.8 resource=a0
160 setrlimit: res=ret cur=x1.16.0 max=x1.16.8 resource=a0
302 prlimit: res=ret newcur=checked:2.16.0 newmax=checked:2.16.8 oldcur=checked:3.16.0 oldmax=checked:3.16.8 \
pid=i0 resource=a1
72 fcntl: res=ret fd=i0 cmd=fcntl_commands:1 arg=a2
12 brk: res=ret vm_size=vm_size vm_rss=vm_rss vm_swap=vm_swap addr=a0
9 mmap: res=ret vm_size=vm_size vm_rss=vm_rss vm_swap=vm_swap addr=a0 length=a1 prot=prot_flags:2 \
flags=mmap_flags:3 fd=i4 offset=a5
11 munmap: res=ret vm_size=vm_size vm_rss=vm_rss vm_swap=vm_swap addr=a0 length=a1
275 splice: res=ret fd_in=i0 fd_out=i2 size=a4 flags=a5
101 ptrace: res=ret addr=dynamic:2 data=dynamic:3 request=ptrace_requests:0 pid=i1
16 ioctl: res=ret fd=i0 request=a1 argument=a2
82 rename: res=ret oldpath=s0 newpath=s1
264 renameat: res=ret olddirfd=i0 oldpath=s1 newdirfd=i2 newpath=s3
88 symlink: res=ret target=s0 linkpath=s1
266 symlinkat: res=ret target=s0 linkdirfd=i1 linkpath=s2
40 sendfile: res=ret offset=x2.8.0 out_fd=i0 in_fd=i1 size=a3
179 quotactl: res=ret special=s1 quotafilepath=s3?0/8=0x800002 dqb_bhardlimit=x3.72.0?{quota} \
dqb_bsoftlimit=x3.72.8?{quota} dqb_curspace=x3.72.16?{quota} dqb_ihardlimit=x3.72.24?{quota} \
dqb_isoftlimit=x3.72.32?{quota} dqb_btime=x3.72.48?{quota} dqb_itime=x3.72.56?{quota} \
dqi_bgrace=x3.24.0?{info} dqi_igrace=x3.24.8?{info} dqi_flags=quotactl_dqi_flags:x3.24.16?{info} \
quota_fmt_out=quotactl_quota_fmts:x3.4.0?0/8=0x800004 cmd=quotactl_cmds:0 type=quotactl_types:0 id=a2 \
quota_fmt=quotactl_quota_fmts:2?0/8=0x800002
117 setresuid: res=ret ruid=a0 euid=a1 suid=a2
119 setresgid: res=ret rgid=a0 egid=a1 sgid=a2
105 setuid: res=ret uid=a0
106 setgid: res=ret gid=a0
102 getuid: uid=ret
107 geteuid: euid=ret
104 getgid: gid=ret
108 getegid: egid=ret
118 getresuid: res=ret ruid=x0.4.0 euid=x1.4.0 suid=x2.4.0
120 getresgid: res=ret rgid=x0.4.0 egid=x1.4.0 sgid=x2.4.0
78 getdents: res=ret fd=i0
217 getdents64: res=ret fd=i0
308 setns: res=ret fd=i0 nstype=clone_flags:1
73 flock: res=ret fd=i0 operation=a1
43 accept: fd=ret tuple=in.ret queuepct=queue.0 queuelen=queue.0 queuemax=queue.0
65 semop: res=ret nsops=a2 sem_num_0=x1.6.0 sem_op_0=x1.6.2 sem_flg_0=semop_flags:x1.6.4 sem_num_1=e1.2.6.6 \
sem_op_1=e1.2.6.8 sem_flg_1=semop_flags:e1.2.6.10 semid=i0
66 semctl: res=ret semid=i0 semnum=i1 cmd=semctl_commands:2 val=a3
271 ppoll: res=ret fds=poll:0.1 timeout=timeout sigmask=x3.8.0
165 mount: res=ret dev=s0 dir=s1 type=s2 flags=mount:3
64 semget: res=ret key=a0 nsems=a1 semflg=semget_flags:2
21 access: res=ret name=s0 mode=a1
161 chroot: res=ret path=s0
112 setsid: res=ret
83 mkdir: res=ret path=s0 mode=a1
84 rmdir: res=ret path=s0
272 unshare: res=ret flags=clone_flags:0
109 setpgid: res=ret pid=i0 pgid=i1
317 seccomp: res=ret op=a0 flags=a1
87 unlink: res=ret path=s0
263 unlinkat: res=ret dirfd=i0 name=s1 flags=a2
258 mkdirat: res=ret dirfd=i0 path=s1 mode=a2
257 openat: fd=ret dirfd=i0 name=s1 flags=open:2 mode=mode:3,2 dev=dev.ret ino=ino.ret
86 link: res=ret oldpath=s0 newpath=s1
265 linkat: res=ret olddir=i0 oldpath=s1 newdir=i2 newpath=s3 flags=a4
268 fchmodat: res=ret dirfd=i0 filename=s1 mode=a2
90 chmod: res=ret filename=s0 mode=a1
91 fchmod: res=ret fd=i0 mode=a1
316 renameat2: res=ret olddirfd=i0 oldpath=s1 newdirfd=i2 newpath=s3 flags=a4
323 userfaultfd: res=ret flags=creation_flags:0
437 openat2: fd=ret dirfd=i0 name=s1 flags=open:x2.24.0 mode=x2.24.8 resolve=openat2_flags:x2.24.16 \
dev=dev.ret ino=ino.ret
10 mprotect: res=ret addr=a0 length=a1 prot=prot_flags:2
326 copy_file_range: res=ret fdout=i2 offout=x3.8.0 fdin=i0 offin=x1.8.0 len=a4
304 open_by_handle_at: fd=ret mountfd=i0 flags=file_flags:2 path=opened.ret dev=dev.ret ino=ino.ret
425 io_uring_setup: res=ret entries=a0 sq_entries=x1.24.0 cq_entries=x1.24.4 \
flags=io_uring_setup_flags:x1.24.8 sq_thread_cpu=x1.24.12 sq_thread_idle=x1.24.16 features=x1.24.20
426 io_uring_enter: res=ret fd=i0 to_submit=a1 min_complete=a2 flags=a3 sig=x4.8.0
427 io_uring_register: res=ret fd=i0 opcode=a1 arg=a2 nr_args=a3
149 mlock: res=ret addr=a0 len=a1
150 munlock: res=ret addr=a0 len=a1
151 mlockall: res=ret flags=a0
152 munlockall: res=ret
126 capset: res=ret cap_inheritable=capabilities:1.2 cap_permitted=capabilities:1.1 cap_effective=capabilities:1.0
33 dup2: res=ret oldfd=i0 newfd=i1
292 dup3: res=ret oldfd=i0 newfd=i1 flags=creation_flags:2
32 dup: res=ret oldfd=i0
321 bpf: fd=ret cmd=a0
325 mlock2: res=ret addr=a0 len=a1 flags=a2
431 fsconfig: res=ret fd=i0 cmd=a1 key=s2 value_bytebuf=d3.4?1=2 value_charbuf=s3?1=1,3,4 aux=i4
213 epoll_create: res=ret size=i0
291 epoll_create1: res=ret flags=epoll_create1_flags:0
92 chown: res=ret path=s0 uid=a1 gid=a2
94 lchown: res=ret path=s0 uid=a1 gid=a2
93 fchown: res=ret fd=i0 uid=a1 gid=a2
260 fchownat: res=ret dirfd=i0 pathname=s1 uid=a2 gid=a3 flags=fchownat_flags:4
288 accept4: fd=ret tuple=in.ret queuepct=queue.0 queuelen=queue.0 queuemax=queue.0 flags=i3
166 umount2: res=ret name=s0 flags=a1
293 pipe2: res=ret fd1=x0.8.0 fd2=x0.8.4 ino=ino.pipe flags=creation_flags:1
294 inotify_init1: res=ret flags=creation_flags:0
290 eventfd2: res=ret flags=creation_flags:1 initval=a0
289 signalfd4: res=ret flags=creation_flags:3 fd=i0 mask=x1.8.0
157 prctl: res=ret option=a0 arg2_str=s1?0=15,16 arg2_int=a1?0!15,16
319 memfd_create: fd=ret name=s0 flags=a1
438 pidfd_getfd: fd=ret pid_fd=i0 target_fd=i1 flags=a2
434 pidfd_open: fd=ret pid=i0 flags=pidfd_open_flags:1
175 init_module: res=ret img=d0.1 length=a1 uargs=s2
313 finit_module: res=ret fd=i0 uargs=s1 flags=a2
133 mknod: res=ret path=s0 mode=a1 dev=a2
259 mknodat: res=ret dirfd=i0 path=s1 mode=a2 dev=a3
262 newfstatat: res=ret dirfd=i0 path=s1 flags=a3
310 process_vm_readv: res=ret pid=i0 data=v1.2.data
311 process_vm_writev: res=ret pid=i0 data=v1.2.data
176 delete_module: res=ret name=s0 flags=delete_module_flags:1
113 setreuid: res=ret ruid=a0 euid=a1
114 setregid: res=ret rgid=a0 egid=a1
436 close_range: res=ret first=a0 last=a1 flags=a2
250 keyctl: res=ret operation=a0 arg2=text:1?0=1 arg3=text:2?0=10 arg4=text:3?0=10 arg5=dynamic:4
""".format(quota="0/8=0x800007,0x800008", info="0/8=0x800005,0x800006")
"""The calls whose parameters follow from arguments and memory."""

_TASK = """tid=tid pid=t.pid ptid=t.parent cwd=zero fdlimit=t.fd_limit \
pgft_maj=t.faults_major pgft_min=t.faults_minor vm_size=t.vm_size vm_rss=t.vm_rss vm_swap=t.vm_swap"""
_CLONE = f"res=ret exe=exe args=args {_TASK} comm=comm cgroups=cgroups flags=clone:{{}} uid=t.uid gid=t.gid \
vtid=t.vtid vpid=t.vpid pidns_init_start_ts=t.namespace_start"
_EXEC = f"res=ret exe=exe args=args {_TASK} comm=comm cgroups=cgroups env=env tty=t.tty vpgid=t.vpgid \
loginuid=t.loginuid flags=t.exe_flags cap_inheritable=t.inheritable cap_permitted=t.permitted \
cap_effective=t.effective exe_ino=t.exe_ino exe_ino_ctime=t.exe_ctime exe_ino_mtime=t.exe_mtime uid=t.uid \
trusted_exepath=path pgid=t.pgid gid=t.gid"
TASKS = {
    56: f"56 clone: {_CLONE.format(0)}",
    435: f"435 clone3: {_CLONE.format(0)}",
    57: f"57 fork: {_CLONE.format(1)}",
    58: f"58 vfork: {_CLONE.format(2)}",
    59: f"59 execve: {_EXEC} filename=asked",
    322: f"322 execveat: {_EXEC}",
}
"""By native number, the calls that make or replace a process, with sources of their own:
``t.NAME`` a field of FACTS, ``exe`` and ``args`` from the process's arguments, ``clone:N`` flags (``Op.CLONE_FLAGS``).
Pieces: flags (clone only), FACTS, comm, arguments, cgroups of both hierarchies, and for exec
the environment, the path of the executable and the name asked for."""
