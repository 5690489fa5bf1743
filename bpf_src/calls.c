// Every call's beginning and end.

RAW_TRACEPOINT_PROBE(sys_enter) {
    struct task_struct *task = bpf_get_current_task_btf();
    u32 tid = AT(u32, task, TASK_PID);
    u64 *began = running.lookup(&tid);
    if (began) *began = bpf_ktime_get_ns() << NR_BITS | (ctx->args[1] & NR_MASK);
    if (ctx->args[1] == NR_PPOLL) {
        struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);
        struct timespec_ timeout = {};
        void *at = (void *)AT(u64, regs, REGS_2);
        if (at && !bpf_probe_read_user(&timeout, sizeof(timeout), at)) timeouts.update(&tid, &timeout);
    }
    return 0;
}

// A 32-bit program's calls are only counted, but for those that make processes and replace them: of these everything is
// read from the task. Exec says at its end what the new program is.
static inline u32 of_compat(u32 nr, s64 result) {
    if (nr == COMPAT_EXECVE && !result) return NR_EXECVE;
    if (nr == COMPAT_CLONE) return NR_CLONE;
    if (nr == COMPAT_FORK) return NR_FORK;
    if (nr == COMPAT_VFORK) return NR_VFORK;
    return nr == NR_CLONE3 ? NR_CLONE3 : CALLS - 1;
}

RAW_TRACEPOINT_PROBE(sys_exit) {
    struct task_struct *task = bpf_get_current_task_btf();
    struct config *config_ = wanted(task);
    u32 tid = AT(u32, task, TASK_PID);
    u64 *slot = running.lookup(&tid);
    u64 began = 0;
    if (slot) {
        began = *slot;
        *slot = 0;
    }
    if (!config_) return 0;
    struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);
    u32 nr = AT(u64, regs, REGS_NR);
    if (AT(u32, task, TASK_STATUS) & TS_COMPAT) nr = of_compat(nr, ctx->args[1]);
    else if (nr == ~0U && began) nr = began & NR_MASK; // a return from a signal takes its own number along
    if (nr >= CALLS - 1) nr = CALLS - 1;
    struct call *call = calls.lookup(&nr);
    if (!call) return 0;
    if (call->kept != KEPT_ALWAYS) {
        bool told = call->telling && AT(u64, regs, REGS_4);
        if (!told && (call->kept == KEPT_NEVER || !is_asked(config_, task))) return 0;
    }

    struct scratch *scratch = 0;
    struct record *record;
    if (call->count) {
        scratch = scratch_of_cpu();
        if (!scratch) return 0;
        record = &scratch->record;
    } else {
        record = events.ringbuf_reserve(sizeof(*record));
        if (!record) {
            count_lost();
            return 0;
        }
    }
    record->time = bpf_ktime_get_ns();
    record->latency = began ? (record->time - (began >> NR_BITS)) & (~0ULL >> NR_BITS) : ~0ULL;
    record->args[0] = AT(u64, regs, REGS_0);
    record->args[1] = AT(u64, regs, REGS_1);
    record->args[2] = AT(u64, regs, REGS_2);
    record->args[3] = AT(u64, regs, REGS_3);
    record->args[4] = AT(u64, regs, REGS_4);
    record->args[5] = AT(u64, regs, REGS_5);
    record->result = ctx->args[1];
    record->tid = tid;
    record->kind = nr;
    record->cpu = bpf_get_smp_processor_id();
    if (!scratch) {
        if (nr == CALLS - 1) record->args[0] = AT(u64, regs, REGS_NR); // which call of the other kind it was
        events.ringbuf_submit(record, BPF_RB_NO_WAKEUP);
        return 0;
    }
    scratch->used = 0;
    if (call->program) {
        programs.call(ctx, call->program);
        return 0;
    }
    u32 snaplen = config_->snaplen;
    struct held held = held_by(task);
    NOT_UNROLLED
    for (int i = 0; i < MAX_STEPS; i++) {
        if (i >= call->count) break;
        basic_step(scratch, held, call->steps[i], snaplen);
    }
    send(scratch);
    return 0;
}
