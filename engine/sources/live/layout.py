"""Where the C program finds things in kernel structures: macro names and the BTF paths behind them."""

from __future__ import annotations

from engine.sources.live.btf import Btf, BtfError

OFFSETS = {
    "TASK_PID": "task_struct.pid",
    "TASK_TGID": "task_struct.tgid",
    "TASK_STATUS": "task_struct.thread_info.status",
    "TASK_STATE": "task_struct.__state|task_struct.state",
    "TASK_UTIME": "task_struct.utime",
    "TASK_STIME": "task_struct.stime",
    "TASK_RUNTIME": "task_struct.se.sum_exec_runtime",
    "TASK_MM": "task_struct.mm",
    "TASK_FILES": "task_struct.files",
    "TASK_SIGNAL": "task_struct.signal",
    "TASK_CRED": "task_struct.cred",
    "TASK_THREAD_PID": "task_struct.thread_pid",
    "TASK_PARENT": "task_struct.real_parent",
    "TASK_COMM": "task_struct.comm",
    "TASK_CGROUPS": "task_struct.cgroups",
    "TASK_EXIT_CODE": "task_struct.exit_code",
    "TASK_MAJOR": "task_struct.maj_flt",
    "TASK_MINOR": "task_struct.min_flt",
    "TASK_LOGINUID": "task_struct.loginuid",
    "TASK_START": "task_struct.start_boottime",
    "REGS_0": "pt_regs.di",
    "REGS_1": "pt_regs.si",
    "REGS_2": "pt_regs.dx",
    "REGS_3": "pt_regs.r10",
    "REGS_4": "pt_regs.r8",
    "REGS_5": "pt_regs.r9",
    "REGS_NR": "pt_regs.orig_ax",
    "REGS_BX": "pt_regs.bx",
    "REGS_IP": "pt_regs.ip",
    "FILES_FDT": "files_struct.fdt",
    "FDT_FD": "fdtable.fd",
    "FDT_MAX": "fdtable.max_fds",
    "FILE_INODE": "file.f_inode",
    "FILE_MODE": "file.f_mode",
    "FILE_PATH": "file.f_path",
    "FILE_PRIVATE": "file.private_data",
    "INODE_INO": "inode.i_ino",
    "INODE_SB": "inode.i_sb",
    "INODE_MODE": "inode.i_mode",
    "INODE_UID": "inode.i_uid",
    "INODE_GID": "inode.i_gid",
    "INODE_CTIME": "inode.i_ctime_sec|inode.__i_ctime.tv_sec|inode.i_ctime.tv_sec",
    "INODE_CTIME_NS": "inode.i_ctime_nsec|inode.__i_ctime.tv_nsec|inode.i_ctime.tv_nsec",
    "INODE_MTIME": "inode.i_mtime_sec|inode.__i_mtime.tv_sec|inode.i_mtime.tv_sec",
    "INODE_MTIME_NS": "inode.i_mtime_nsec|inode.__i_mtime.tv_nsec|inode.i_mtime.tv_nsec",
    "SB_DEV": "super_block.s_dev",
    "SB_FLAGS": "super_block.s_flags",
    "SB_MAGIC": "super_block.s_magic",
    "MM_TOTAL": "mm_struct.total_vm",
    "MM_ARG_START": "mm_struct.arg_start",
    "MM_ARG_END": "mm_struct.arg_end",
    "MM_ENV_START": "mm_struct.env_start",
    "MM_ENV_END": "mm_struct.env_end",
    "MM_EXE": "mm_struct.exe_file",
    "CRED_EUID": "cred.euid",
    "CRED_EGID": "cred.egid",
    "CRED_FSUID": "cred.fsuid",
    "CRED_FSGID": "cred.fsgid",
    "CRED_INHERITABLE": "cred.cap_inheritable",
    "CRED_PERMITTED": "cred.cap_permitted",
    "CRED_EFFECTIVE": "cred.cap_effective",
    "SIGNAL_PIDS": "signal_struct.pids",
    "SIGNAL_RLIM": "signal_struct.rlim",
    "SIGNAL_TTY": "signal_struct.tty",
    "PID_LEVEL": "pid.level",
    "PID_NUMBERS": "pid.numbers",
    "UPID_NS": "upid.ns",
    "NS_REAPER": "pid_namespace.child_reaper",
    "TTY_DRIVER": "tty_struct.driver",
    "TTY_INDEX": "tty_struct.index",
    "DRIVER_MAJOR": "tty_driver.major",
    "DRIVER_MINOR": "tty_driver.minor_start",
    "CSS_DEFAULT": "css_set.dfl_cgrp",
    "CSS_CGROUP": "cgroup_subsys_state.cgroup",
    "CGROUP_KN": "cgroup.kn",
    "KERNFS_ID": "kernfs_node.id",
    "KERNFS_NAME": "kernfs_node.name",
    "KERNFS_PARENT": "kernfs_node.__parent|kernfs_node.parent",
    "PATH_MNT": "path.mnt",
    "PATH_DENTRY": "path.dentry",
    "DENTRY_PARENT": "dentry.d_parent",
    "DENTRY_NAME": "dentry.d_name.name",
    "MOUNT_MNT": "mount.mnt",
    "MOUNT_PARENT": "mount.mnt_parent",
    "MOUNT_POINT": "mount.mnt_mountpoint",
    "VFSMOUNT_ROOT": "vfsmount.mnt_root",
    "SOCKET_SK": "socket.sk",
    "SK_FAMILY": "sock_common.skc_family",
    "SK_NUM": "sock_common.skc_num",
    "SK_DPORT": "sock_common.skc_dport",
    "SK_SADDR": "sock_common.skc_rcv_saddr",
    "SK_DADDR": "sock_common.skc_daddr",
    "SK_V6_SADDR": "sock_common.skc_v6_rcv_saddr",
    "SK_V6_DADDR": "sock_common.skc_v6_daddr",
    "SK_TYPE": "sock.sk_type",
    "SK_BACKLOG": "sock.sk_ack_backlog",
    "SK_BACKLOG_MAX": "sock.sk_max_ack_backlog",
    "UNIX_ADDR": "unix_sock.addr",
    "UNIX_PEER": "unix_sock.peer",
    "UNIX_ADDRESS_LEN": "unix_address.len",
    "UNIX_ADDRESS_NAME": "unix_address.name",
    "SIGINFO_CODE": "kernel_siginfo.si_code",
    "SIGINFO_PID": "kernel_siginfo._sifields",
}
"""``structure.member``; alternatives are members' names of other kernel versions, first found wins."""


def macros(btf: Btf) -> dict[str, int]:
    """Values of the C program's macros about kernel structures.

    Raises BtfError naming what the running kernel does not have.
    """
    names = {path.partition(".")[0] for path in OFFSETS.values()} | {"css_set", "percpu_counter"}
    types = btf.find(names)
    found: dict[str, int] = {"UPID_SIZE": btf.size(types["upid"]), "INODE_SIZE": btf.size(types["inode"])}
    for macro, paths in OFFSETS.items():
        for path in paths.split("|"):
            structure, _, member = path.partition(".")
            offset = btf.offset(types[structure], member) if structure in types else None
            if offset is not None:
                found[macro] = offset
                break
        else:
            raise BtfError(f"the kernel's BTF has no {paths}")
    for name, one, other in (
        ("FILE", "FILE_INODE", "FILE_MODE"),
        ("INODE", "INODE_INO", "INODE_SB"),
        ("NODE", "KERNFS_ID", "KERNFS_PARENT"),
        ("SB", "SB_DEV", "SB_MAGIC"),
    ):
        low = min(found[one], found[other]) & ~7
        found[f"{name}_LOW"], found[f"{name}_SPAN"] = low, (max(found[one], found[other]) + 8 - low + 7) & ~7
    # Pages are counted by kind: per cpu since 6.2, plain numbers before.
    mm = types["mm_struct"]
    counters, stride = btf.offset(mm, "rss_stat.count"), 8
    if counters is None:
        base, count = btf.offset(mm, "rss_stat"), btf.offset(types["percpu_counter"], "count")
        if base is None or count is None:
            raise BtfError("the kernel's BTF has no mm_struct.rss_stat")
        counters, stride = base + count, btf.size(types["percpu_counter"])
    for index, kind in enumerate(("FILE", "ANON", "SWAP", "SHMEM")):
        found[f"MM_RSS_{kind}"] = counters + index * stride
    subsystems, memory = btf.offset(types["css_set"], "subsys"), btf.enumerator("cgroup_subsys_id", "memory_cgrp_id")
    if subsystems is None:
        raise BtfError("the kernel's BTF has no css_set.subsys")
    found["CSS_MEMORY"] = subsystems + 8 * (memory or 0)
    return found
