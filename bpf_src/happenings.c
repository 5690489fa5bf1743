// What is no call: forks, execs, ends, signals, names, switches, faults.

static inline struct record *happening(struct task_struct *task, u16 kind) {
    struct config *config_ = wanted(task);
    if (!config_ || config_->unwanted >> (kind - KIND_EXIT) & 1) return 0;
    if (kind != KIND_EXIT && kind != KIND_RENAME && !is_asked(config_, task)) return 0;
    struct record *record = events.ringbuf_reserve(sizeof(*record));
    if (!record) {
        count_lost();
        return 0;
    }
    __builtin_memset(record, 0, sizeof(*record));
    head(record, task, kind);
    return record;
}

RAW_TRACEPOINT_PROBE(sched_process_fork) {
    struct task_struct *task = bpf_get_current_task_btf();
    struct config *config_ = wanted(task);
    if (!config_) return 0;
    u32 tid = READ(u32, ctx->args[1], TASK_PID), pid = READ(u32, ctx->args[1], TASK_TGID);
    u64 flags = flags_of_clone(task);
    u8 yes = 1;
    made_with.update(&tid, &flags);
    if (config_->only) followed.update(&pid, &yes);
    return 0;
}

RAW_TRACEPOINT_PROBE(sched_process_exec) {
    // A thread that is not the leader goes on under the leader's number.
    u32 before = ctx->args[1];
    u32 now = AT(u32, bpf_get_current_task_btf(), TASK_PID);
    u64 *from = running.lookup(&before), *to = running.lookup(&now);
    if (from && to && from != to) {
        *to = *from;
        *from = 0;
    }
    return 0;
}

RAW_TRACEPOINT_PROBE(sched_process_exit) {
    struct task_struct *task = bpf_get_current_task_btf();
    u32 tid = AT(u32, task, TASK_PID);
    u64 *slot = running.lookup(&tid);
    if (slot) *slot = 0;
    made_with.delete(&tid);
    timeouts.delete(&tid);
    struct record *record = happening(task, KIND_EXIT);
    if (record) {
        record->args[0] = AT(u32, task, TASK_EXIT_CODE);
        events.ringbuf_submit(record, BPF_RB_NO_WAKEUP);
    }
    if (tid == AT(u32, task, TASK_TGID)) followed.delete(&tid);
    return 0;
}

RAW_TRACEPOINT_PROBE(signal_deliver) {
    struct record *record = happening(bpf_get_current_task_btf(), KIND_SIGNAL);
    if (!record) return 0;
    record->args[0] = ctx->args[0];
    record->args[1] = READ(u32, ctx->args[1], SIGINFO_PID);
    // The smallest addresses stand for "the kernel, no information".
    record->args[2] = ctx->args[1] > 1 ? READ(s32, ctx->args[1], SIGINFO_CODE) : SI_KERNEL;
    events.ringbuf_submit(record, BPF_RB_NO_WAKEUP);
    return 0;
}

RAW_TRACEPOINT_PROBE(task_rename) {
    // Exec and prctl tell the new name themselves; this is for names given by other threads.
    u64 target = ctx->args[0];
    u32 tid = READ(u32, target, TASK_PID);
    struct task_struct *task = bpf_get_current_task_btf();
    if (tid == AT(u32, task, TASK_PID)) return 0;
    struct record *record = happening(task, KIND_RENAME);
    if (!record) return 0;
    record->tid = tid;
    bpf_probe_read_kernel_str(record->args, 16, (void *)ctx->args[1]);
    events.ringbuf_submit(record, BPF_RB_NO_WAKEUP);
    return 0;
}

// The two that cost much are attached only while somebody asks for them.
int switches(struct bpf_raw_tracepoint_args *ctx) {
    struct task_struct *task = bpf_get_current_task_btf();
    struct record *record = happening(task, KIND_SWITCH);
    if (!record) return 0;
    struct memory_facts memory = memory_of(AT(void *, task, TASK_MM));
    record->args[0] = READ(u32, ctx->args[2], TASK_PID);
    record->args[1] = AT(u64, task, TASK_MAJOR);
    record->args[2] = AT(u64, task, TASK_MINOR);
    record->args[3] = memory.size;
    record->args[4] = memory.rss;
    record->args[5] = memory.swap;
    events.ringbuf_submit(record, BPF_RB_NO_WAKEUP);
    return 0;
}

int faults(struct bpf_raw_tracepoint_args *ctx) {
    struct record *record = happening(bpf_get_current_task_btf(), KIND_FAULT);
    if (!record) return 0;
    record->args[0] = ctx->args[0];
    record->args[1] = READ(u64, ctx->args[1], REGS_IP);
    record->args[2] = ctx->args[2];
    events.ringbuf_submit(record, BPF_RB_NO_WAKEUP);
    return 0;
}
