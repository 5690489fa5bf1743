// All tasks as they are now; of one command followed, its own.

struct bpf_iter_meta {
    struct seq_file *seq;
};

struct bpf_iter__task {
    struct bpf_iter_meta *meta;
    struct task_struct *task;
};

struct task_now {
    u64 since; // CLOCK_MONOTONIC; 0: since before anything was attached
    u64 args[6];
    u64 user, system, runtime; // ns so far
    u32 tid, pid;
    s32 number; // system call number; of a 32-bit caller with COMPAT_BIT; -1: in none
    u32 reader; // process id of who reads this, as the kernel numbers it
};

int bpf_iter__task(struct bpf_iter__task *ctx) {
    struct task_struct *task = ctx->task;
    if (!task) return 0;
    struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);
    if (!regs) return 0;
    u32 zero = 0, pid = AT(u32, task, TASK_TGID);
    struct config *config_ = config.lookup(&zero);
    if (!config_ || !is_followed(config_, pid)) return 0;
    struct task_now now = {};
    u32 tid = AT(u32, task, TASK_PID);
    u64 *slot = running.lookup(&tid);
    u64 began = slot ? *slot : 0;
    s64 number = READ(s64, regs, REGS_NR);
    now.tid = tid;
    now.pid = pid;
    now.user = AT(u64, task, TASK_UTIME);
    now.system = AT(u64, task, TASK_STIME);
    now.runtime = AT(u64, task, TASK_RUNTIME);
    now.number = -1;
    now.reader = bpf_get_current_pid_tgid() >> 32;
    // One that runs outside of calls has the registers of its last one, and a thread of the kernel has none.
    if (READ(u64, task, TASK_MM) && (began || (AT(u32, task, TASK_STATE) && number >= 0))) {
        now.since = began >> NR_BITS;
        now.args[0] = READ(u64, regs, REGS_0);
        now.args[1] = READ(u64, regs, REGS_1);
        now.args[2] = READ(u64, regs, REGS_2);
        now.args[3] = READ(u64, regs, REGS_3);
        now.args[4] = READ(u64, regs, REGS_4);
        now.args[5] = READ(u64, regs, REGS_5);
        now.number = number & ~COMPAT_BIT;
        if (AT(u32, task, TASK_STATUS) & TS_COMPAT) now.number |= COMPAT_BIT;
    }
    bpf_seq_write(ctx->meta->seq, &now, sizeof(now));
    return 0;
}
