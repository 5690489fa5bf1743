// Calls that make processes and replace them: facts of the task. And the paths of files, which only these need.

struct task_facts {
    u64 pid, parent, vtid, vpid, sid, pgid, vpgid;
    u64 fd_limit, faults_major, faults_minor;
    u64 inheritable, permitted, effective;
    u64 exe_ino, exe_ctime, exe_mtime;
    u64 namespace_start;
    struct memory_facts memory;
    u32 uid, gid, loginuid, tty, in_namespace;
    u32 exe_flags, unused;
};

static inline u32 pid_at(u64 pid, u32 level) { return READ(u32, pid, PID_NUMBERS + level * UPID_SIZE); }

static inline u64 nanoseconds(u64 inode, u32 seconds, u32 rest) {
    // The upper bits of the part below a second are the file system's.
    return READ(s64, inode, seconds) * 1000000000ULL + (READ(u32, inode, rest) & 0x3fffffff);
}

// What may be said of the file a process runs: EXE_*.
static inline u32 flags_of_exe(u64 cred, u64 exe, u64 inode) {
    u16 mode = READ(u16, inode, INODE_MODE);
    u64 super = READ(u64, inode, INODE_SB), entry = READ(u64, exe, FILE_PATH + PATH_DENTRY);
    u32 bit = 2;
    if (READ(u32, inode, INODE_UID) == READ(u32, cred, CRED_FSUID)) bit = 0200;
    else if (READ(u32, inode, INODE_GID) == READ(u32, cred, CRED_FSGID)) bit = 020;
    bool may = mode & bit || READ(u64, cred, CRED_EFFECTIVE) >> CAP_DAC_OVERRIDE & 1;
    u32 flags = may && !(READ(u64, super, SB_FLAGS) & SB_RDONLY) ? EXE_WRITABLE : 0;
    flags |= layer_of(inode, READ(u64, super, SB_MAGIC));
    char name[6] = {};
    bpf_probe_read_kernel(name, sizeof(name), (void *)READ(u64, entry, DENTRY_NAME));
    bool memfd = name[0] == 'm' && name[1] == 'e' && name[2] == 'm' && name[3] == 'f' && name[4] == 'd';
    if (memfd && name[5] == ':' && READ(u64, entry, DENTRY_PARENT) == entry) flags |= EXE_MEMFD;
    return flags;
}

static inline void put_facts(struct scratch *scratch, struct task_struct *task, void *mm, bool executes) {
    u8 *at = room(scratch);
    struct task_facts *facts = (struct task_facts *)(at + 2);
    u64 signal = READ(u64, task, TASK_SIGNAL), cred = READ(u64, task, TASK_CRED);
    u64 pid = READ(u64, task, TASK_THREAD_PID);
    u32 level = READ(u32, pid, PID_LEVEL) & 31;
    u64 group = READ(u64, signal, SIGNAL_PIDS + 8), pgrp = READ(u64, signal, SIGNAL_PIDS + 16);
    u64 session = READ(u64, signal, SIGNAL_PIDS + 24);
    facts->pid = AT(u32, task, TASK_TGID);
    facts->parent = READ(u32, READ(u64, task, TASK_PARENT), TASK_TGID);
    facts->vtid = pid_at(pid, level);
    facts->vpid = pid_at(group, level);
    facts->sid = pid_at(session, 0);
    facts->pgid = pid_at(pgrp, 0);
    facts->vpgid = pid_at(pgrp, level);
    facts->in_namespace = level;
    facts->fd_limit = READ(u64, signal, SIGNAL_RLIM + 7 * 16);
    facts->faults_major = AT(u64, task, TASK_MAJOR);
    facts->faults_minor = AT(u64, task, TASK_MINOR);
    facts->memory = memory_of(mm);
    facts->uid = READ(u32, cred, CRED_EUID);
    facts->gid = READ(u32, cred, CRED_EGID);
    facts->loginuid = AT(u32, task, TASK_LOGINUID);
    facts->inheritable = READ(u64, cred, CRED_INHERITABLE);
    facts->permitted = READ(u64, cred, CRED_PERMITTED);
    facts->effective = READ(u64, cred, CRED_EFFECTIVE);
    u64 tty = READ(u64, signal, SIGNAL_TTY);
    facts->tty = tty ? READ(u32, READ(u64, tty, TTY_DRIVER), DRIVER_MAJOR) << 8 |
                           (READ(u32, READ(u64, tty, TTY_DRIVER), DRIVER_MINOR) + READ(u32, tty, TTY_INDEX))
                     : 0;
    u64 namespace = READ(u64, pid, PID_NUMBERS + level * UPID_SIZE + UPID_NS);
    facts->namespace_start = level ? READ(u64, READ(u64, namespace, NS_REAPER), TASK_START) : 0;
    u64 exe = READ(u64, mm, MM_EXE);
    u64 inode = READ(u64, exe, FILE_INODE);
    facts->exe_ino = READ(u64, inode, INODE_INO);
    facts->exe_ctime = nanoseconds(inode, INODE_CTIME, INODE_CTIME_NS);
    facts->exe_mtime = nanoseconds(inode, INODE_MTIME, INODE_MTIME_NS);
    facts->exe_flags = executes ? flags_of_exe(cred, exe, inode) : 0;
    close_piece(scratch, at, sizeof(*facts));
}

static inline void put_comm(struct scratch *scratch, struct task_struct *task) {
    u8 *at = room(scratch);
    close_piece(scratch, at, bpf_probe_read_kernel_str(at + 2, 16, (char *)task + TASK_COMM));
}

// Bytes of the process between two of its addresses, cut at a piece's size.
static inline void put_range(struct scratch *scratch, u64 from, u64 to) {
    put_user(scratch, to > from ? from : 0, to - from < PIECE_MAX ? to - from : PIECE_MAX);
}

// Components of a path from the innermost out, one string each; the reader turns them round.
static inline bool put_component(struct scratch *scratch, u8 *at, u64 name) {
    u64 used = BOUNDED(scratch->part, 0xfff);
    long n = bpf_probe_read_kernel_str(at + 2 + used, COMPONENT_MAX, (void *)name);
    n &= ~(n >> 63); // no branch: paths through a loop are what verifying it costs
    scratch->part = used + BOUNDED(n, 0x1ff);
    return used <= PIECE_MAX - 2 * COMPONENT_MAX;
}

static inline void put_cgroup(struct scratch *scratch, u64 cgroup) {
    u8 *at = room(scratch);
    scratch->part = 0;
    u64 node = READ(u64, cgroup, CGROUP_KN);
    NOT_UNROLLED
    for (int i = 0; i < CGROUP_DEPTH; i++) {
        u64 parent = READ(u64, node, KERNFS_PARENT);
        if (!parent || !put_component(scratch, at, READ(u64, node, KERNFS_NAME))) break;
        node = parent;
    }
    close_piece(scratch, at, scratch->part);
}

static inline void put_path(struct scratch *scratch, u64 path) {
    u8 *at = room(scratch);
    scratch->part = 0;
    u64 mount = READ(u64, path, PATH_MNT) - MOUNT_MNT, entry = READ(u64, path, PATH_DENTRY);
    NOT_UNROLLED
    for (int i = 0; i < PATH_DEPTH; i++) {
        u64 parent = READ(u64, entry, DENTRY_PARENT);
        if (entry == parent || entry == READ(u64, mount, MOUNT_MNT + VFSMOUNT_ROOT)) {
            u64 above = READ(u64, mount, MOUNT_PARENT);
            if (above == mount) break;
            entry = READ(u64, mount, MOUNT_POINT);
            mount = above;
            continue;
        }
        if (!put_component(scratch, at, READ(u64, entry, DENTRY_NAME))) break;
        entry = parent;
    }
    close_piece(scratch, at, scratch->part);
}

static inline u64 flags_of_clone(struct task_struct *task) {
    struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);
    u64 flags = AT(u32, task, TASK_STATUS) & TS_COMPAT ? AT(u64, regs, REGS_BX) : AT(u64, regs, REGS_0);
    if (AT(u64, regs, REGS_NR) == NR_CLONE3) {
        u64 arguments = flags;
        flags = 0;
        bpf_probe_read_user(&flags, sizeof(flags), (void *)arguments);
    }
    return flags;
}

static inline void put_clone_flags(struct scratch *scratch, struct task_struct *task) {
    u8 *at = room(scratch);
    u32 tid = AT(u32, task, TASK_PID);
    u64 flags = 0, *known = &flags;
    if (scratch->record.result) {
        flags = flags_of_clone(task);
    } else {
        known = made_with.lookup(&tid);
        if (known) flags = *known;
        made_with.delete(&tid);
        if (!known && tid != AT(u32, task, TASK_TGID)) {
            // Made before recording began. That it is a thread, it shows itself.
            flags = CLONE_THREAD_;
            known = &flags;
        }
    }
    *(u64 *)(at + 2) = flags;
    close_piece(scratch, at, known ? 8 : -1);
}

// Pieces of clone: flags, facts, comm, arguments, v1 memory cgroup, v2 cgroup.
// exec adds: environment, path of the executable, the name that was asked for.
// A call with STEP_PATH has, beside the path of the file it opened, its inode.
int tasks(struct bpf_raw_tracepoint_args *ctx) {
    struct task_struct *task = bpf_get_current_task_btf();
    struct config *config_ = wanted(task);
    struct scratch *scratch = scratch_of_cpu();
    if (!scratch || !config_) return 0;
    struct call *call = call_of(scratch);
    if (!call) return 0;
    struct step step = call->steps[0];
    void *files = AT(void *, task, TASK_FILES), *mm = AT(void *, task, TASK_MM);
    u64 file = 0, asked = 0;
    if (step.kind == STEP_PATH) {
        file = file_of(files, number(scratch, step.a));
    } else {
        if (step.kind == STEP_CLONE) put_clone_flags(scratch, task);
        put_facts(scratch, task, mm, step.kind == STEP_EXEC);
        put_comm(scratch, task);
        u64 arg_start = mm ? AT(u64, mm, MM_ARG_START) : 0, arg_end = mm ? AT(u64, mm, MM_ARG_END) : 0;
        put_range(scratch, arg_start, arg_end);
        u64 sets = READ(u64, task, TASK_CGROUPS);
        put_cgroup(scratch, READ(u64, READ(u64, sets, CSS_MEMORY), CSS_CGROUP));
        put_cgroup(scratch, READ(u64, sets, CSS_DEFAULT));
        if (step.kind != STEP_EXEC) {
            send(scratch);
            return 0;
        }
        u64 env_start = mm ? AT(u64, mm, MM_ENV_START) : 0, env_end = mm ? AT(u64, mm, MM_ENV_END) : 0;
        put_range(scratch, env_start, env_end);
        file = mm ? AT(u64, mm, MM_EXE) : 0;
        // A new image has the name right behind its environment; after a failure the argument is still there.
        asked = scratch->record.result < 0 ? number(scratch, step.a) : env_end;
    }
    put_path(scratch, file ? file + FILE_PATH : 0);
    if (step.kind == STEP_PATH) put_inode(scratch, files, number(scratch, step.a));
    else put_string(scratch, asked);
    send(scratch);
    return 0;
}
