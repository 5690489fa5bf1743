// The kernel side of the live source: one lean record a call, handed out through one ring buffer.
//
// Owns what is read in the kernel and when. What each call's arguments are is told by the `calls` table, which the
// reader fills (engine/sources/live/calls.py); so are the numbers of steps, kinds and programs, and the offsets of
// kernel structures, all of which arrive as macros. Nothing here knows the scap format.

#include <linux/types.h>
#include <uapi/linux/bpf.h>

#define AT(type, base, offset) (*(type *)((char *)(base) + (offset)))
#define READ(type, base, offset)                                                                                       \
    ({                                                                                                                 \
        type value_ = 0;                                                                                               \
        bpf_probe_read_kernel(&value_, sizeof(value_), (char *)(base) + (offset));                                     \
        value_;                                                                                                        \
    })
// The verifier must see the bound that clang proves and drops.
#define BOUNDED(value, mask)                                                                                           \
    ({                                                                                                                 \
        u64 bounded_ = (value);                                                                                        \
        asm volatile("" : "+r"(bounded_));                                                                             \
        bounded_ & (mask);                                                                                             \
    })

// Unrolled loops are slower to compile and to verify than they save.
#define NOT_UNROLLED _Pragma("clang loop unroll(disable)")

#define ABSENT 0xffff
#define PIECE_MAX 4096
#define POSITION_MASK 0xffff
#define NR_BITS 10
#define NR_MASK ((1 << NR_BITS) - 1)
#define TS_COMPAT 2
#define NR_CLONE 56
#define NR_FORK 57
#define NR_VFORK 58
#define NR_EXECVE 59
#define NR_PPOLL 271
#define NR_CLONE3 435
#define CLONE_THREAD_ 0x10f00 // with memory, files, directory and signals shared, as threads must and do
#define COMPAT_FORK 2
#define COMPAT_EXECVE 11
#define COMPAT_CLONE 120
#define COMPAT_VFORK 190
#define SI_KERNEL 128
#define CAP_DAC_OVERRIDE 1
#define SB_RDONLY 1
#define OVERLAYFS 0x794c7630
#define EXE_WRITABLE 1 // the format's execve_flags
#define EXE_UPPER 2
#define EXE_MEMFD 4
#define EXE_LOWER 8
#define PATH_DEPTH 40
#define CGROUP_DEPTH 12
#define CGROUPS_ABOVE 8
#define COMPONENT_MAX 256

struct config {
    u32 enabled;
    u32 self;    // process whose events are never recorded
    u32 snaplen; // bytes kept of data buffers
    u32 only;    // when set, nothing is recorded but this process and those in `followed`
    u32 by_process; // of calls that are KEPT_ASKED, only those of processes in `chosen` are recorded
    u32 by_cgroup;  // only those of tasks in or below the cgroups listed
    u32 unwanted;   // happenings not recorded, one bit each, from KIND_EXIT on
    u32 unused;
    u64 unified[MAX_CGROUPS]; // numbers of cgroups; 0: none. Every hierarchy has numbers of its own
    u64 memory[MAX_CGROUPS];
};

struct step {
    u8 kind;
    u8 a, b, c;
};

struct call {
    u8 kept;    // KEPT_*
    u8 program; // 0: the steps are done in the exit program itself
    u8 count;
    u8 telling; // always kept when argument 4 is given: the address tells what the socket is
    struct step steps[MAX_STEPS];
};

// Payload pieces follow: u16 length (ABSENT: not there or not readable), bytes.
struct record {
    u64 time;    // CLOCK_MONOTONIC
    u64 latency; // all ones: unknown
    u64 args[6];
    s64 result;
    u32 tid;
    u16 kind; // system call number, or KIND_*
    u16 cpu;
};

struct timespec_ {
    u64 seconds, nanoseconds;
};

struct scratch {
    struct record record;
    u32 used;
    u32 part; // bytes of the piece being gathered; kept here so that the verifier forgets how it came about
    u8 data[POSITION_MASK + 1 + 2 * DATA_MAX + 64]; // the last piece may begin at the mask and be gathered from parts
};

struct lost {
    u64 count;
    u64 unused[7];
};

// Sizes of 1 are the loader's to decide.
BPF_RINGBUF_OUTPUT(events, 1);
BPF_F_TABLE("array", u32, struct config, config, 1, BPF_F_MMAPABLE);
BPF_F_TABLE("array", u32, struct call, calls, CALLS, BPF_F_MMAPABLE);
// By thread id: when the call it is in began (ktime << NR_BITS | number), 0 outside calls.
BPF_ARRAY(running, u64, 1);
BPF_F_TABLE("array", u32, struct lost, lost, 1, BPF_F_MMAPABLE);
// A bit a process id.
BPF_F_TABLE("array", u32, u64, chosen, 1, BPF_F_MMAPABLE);
// Descendants of the one process to record, by process id.
BPF_TABLE("hash", u32, u8, followed, 65536);
// What a new thread was made with, by thread id, until it returns: its parent's memory may say something else by then.
BPF_TABLE("hash", u32, u64, made_with, 16384);
// How long ppoll was told to wait, by thread id: at its exit the memory says what is left of that.
BPF_TABLE("hash", u32, struct timespec_, timeouts, 16384);
// By processor: what is one's own of a per-cpu map may not be as large.
BPF_ARRAY(buffers, struct scratch, 1);
BPF_PROG_ARRAY(programs, 4);

static inline void count_lost(void) {
    u32 cpu = bpf_get_smp_processor_id();
    struct lost *cell = lost.lookup(&cpu);
    if (cell) cell->count++;
}

static inline struct config *wanted(struct task_struct *task) {
    u32 zero = 0;
    struct config *config_ = config.lookup(&zero);
    u32 pid = AT(u32, task, TASK_TGID);
    if (!config_ || !config_->enabled || pid == config_->self) return 0;
    if (config_->only && pid != config_->only && !followed.lookup(&pid)) return 0;
    return config_;
}

// In one of the cgroups listed, or below it, or too deep to tell. Beyond the root everything reads as zero, which no
// cgroup has for a number.
static inline bool is_below(u64 cgroup, u64 *listed) {
    if (!listed[0]) return false;
    u64 node = READ(u64, cgroup, CGROUP_KN), differs = 1;
    NOT_UNROLLED
    for (int i = 0; i < CGROUPS_ABOVE; i++) {
        u64 near[NODE_SPAN / 8];
        bpf_probe_read_kernel(near, sizeof(near), (void *)(node + NODE_LOW));
        u64 id = AT(u64, near, KERNFS_ID - NODE_LOW);
        // Without branches: each is another path to verify.
        for (int j = 0; j < MAX_CGROUPS; j++) {
            u64 difference = (id ^ listed[j]) | !id;
            differs &= (difference | -difference) >> 63;
        }
        node = AT(u64, near, KERNFS_PARENT - NODE_LOW);
    }
    return !differs || node;
}

// What of a process that was not asked for, or not asked for of anybody, is left out.
static inline bool is_asked(struct config *config_, struct task_struct *task) {
    if (config_->by_process) {
        u32 pid = AT(u32, task, TASK_TGID), word = pid / 64;
        u64 *bits = chosen.lookup(&word);
        if (!bits || !(*bits >> (pid & 63) & 1)) return false;
    }
    if (!config_->by_cgroup) return true;
    u64 sets = READ(u64, task, TASK_CGROUPS);
    return is_below(READ(u64, sets, CSS_DEFAULT), config_->unified) ||
           is_below(READ(u64, READ(u64, sets, CSS_MEMORY), CSS_CGROUP), config_->memory);
}

static inline void head(struct record *record, struct task_struct *task, u16 kind) {
    record->time = bpf_ktime_get_ns();
    record->tid = AT(u32, task, TASK_PID);
    record->kind = kind;
    record->cpu = bpf_get_smp_processor_id();
}

static inline void send(struct scratch *scratch) {
    u64 size = BOUNDED(scratch->used, POSITION_MASK) + offsetof(struct scratch, data);
    if (events.ringbuf_output(scratch, size, BPF_RB_NO_WAKEUP)) count_lost();
}

static inline struct scratch *scratch_of_cpu(void) {
    u32 cpu = bpf_get_smp_processor_id();
    return buffers.lookup(&cpu);
}

// ---- pieces: each is appended at `used`, which stays below POSITION_MASK -------------------------------------------

static inline u8 *room(struct scratch *scratch) { return scratch->data + BOUNDED(scratch->used, POSITION_MASK); }

static inline void close_piece(struct scratch *scratch, u8 *at, long length) {
    u16 size = length < 0 ? ABSENT : length;
    *(u16 *)at = size;
    scratch->used += 2 + (length < 0 ? 0 : BOUNDED(length, 0xffff));
}

static inline void put_string(struct scratch *scratch, u64 address) {
    u8 *at = room(scratch);
    long length = -1;
    if (address) length = bpf_probe_read_user_str(at + 2, PIECE_MAX, (void *)address);
    close_piece(scratch, at, length);
}

static inline void put_user(struct scratch *scratch, u64 address, u64 length) {
    u8 *at = room(scratch);
    long done = -1;
    if (length > DATA_MAX) length = DATA_MAX;
    length = BOUNDED(length, 0xffff);
    if (length > DATA_MAX) length = DATA_MAX;
    if (address && !bpf_probe_read_user(at + 2, length, (void *)address)) done = length;
    close_piece(scratch, at, done);
}

static inline u64 file_of(void *files, s64 number) {
    if (!files || number < 0) return 0;
    void *table = AT(void *, files, FILES_FDT);
    if (!table || number >= AT(u32, table, FDT_MAX)) return 0;
    u64 array = AT(u64, table, FDT_FD);
    return READ(u64, array, number * 8);
}

struct inode_facts {
    u64 ino;
    u32 dev;
    u32 mode; // fmode of the file
    u32 layer; // of an overlay: EXE_UPPER, EXE_LOWER
    u32 unused;
};

// Which layer of overlayfs an inode is in; 0 in others. Its inodes have the entry in the upper layer right behind what
// all inodes have.
static inline u32 layer_of(u64 inode, u64 magic) {
    if (magic != OVERLAYFS) return 0;
    return READ(u64, inode, INODE_SIZE) ? EXE_UPPER : EXE_LOWER;
}

static inline void put_inode(struct scratch *scratch, void *files, s64 number) {
    u8 *at = room(scratch);
    struct inode_facts facts = {};
    u64 file = file_of(files, number);
    long length = -1;
    if (file) {
        // A probe read costs as much for all that lies between two members as for one.
        u64 near[FILE_SPAN / 8], around[INODE_SPAN / 8], super[SB_SPAN / 8];
        bpf_probe_read_kernel(near, sizeof(near), (char *)file + FILE_LOW);
        u64 inode = AT(u64, near, FILE_INODE - FILE_LOW);
        facts.mode = AT(u32, near, FILE_MODE - FILE_LOW);
        bpf_probe_read_kernel(around, sizeof(around), (char *)inode + INODE_LOW);
        facts.ino = AT(u64, around, INODE_INO - INODE_LOW);
        bpf_probe_read_kernel(super, sizeof(super), (char *)AT(u64, around, INODE_SB - INODE_LOW) + SB_LOW);
        facts.dev = AT(u32, super, SB_DEV - SB_LOW);
        facts.layer = layer_of(inode, AT(u64, super, SB_MAGIC - SB_LOW));
        length = sizeof(facts);
        __builtin_memcpy(at + 2, &facts, sizeof(facts));
    }
    close_piece(scratch, at, length);
}

struct memory_facts {
    u32 size, rss, swap; // KiB
};

static inline struct memory_facts memory_of(void *mm) {
    struct memory_facts facts = {};
    if (mm) {
        facts.size = AT(u64, mm, MM_TOTAL) << (PAGE_SHIFT_ - 10);
        s64 rss = AT(s64, mm, MM_RSS_FILE) + AT(s64, mm, MM_RSS_ANON) + AT(s64, mm, MM_RSS_SHMEM);
        s64 swap = AT(s64, mm, MM_RSS_SWAP);
        facts.rss = (rss < 0 ? 0 : rss) << (PAGE_SHIFT_ - 10);
        facts.swap = (swap < 0 ? 0 : swap) << (PAGE_SHIFT_ - 10);
    }
    return facts;
}

static inline void put_memory(struct scratch *scratch, void *mm) {
    u8 *at = room(scratch);
    struct memory_facts facts = memory_of(mm);
    __builtin_memcpy(at + 2, &facts, sizeof(facts));
    close_piece(scratch, at, sizeof(facts));
}

static inline s64 number(struct scratch *scratch, u8 which) {
    // args[6] is the result: the record's layout makes it follow the arguments.
    return ((s64 *)scratch->record.args)[which & 7];
}

// What a task points at. Loading a pointer from a task makes the verifier search all the kernel's types, so it is done
// once a program, and by a helper where it happens seldom.
struct held {
    void *files, *mm;
};

static inline void basic_step(struct scratch *scratch, struct held held, struct step step, u32 snaplen) {
    s64 value = number(scratch, step.a);
    s64 length = number(scratch, step.b);
    if (step.kind == STEP_STRING) {
        put_string(scratch, value);
        return;
    }
    if (step.kind == STEP_INODE) {
        s32 made = value;
        if (step.c) bpf_probe_read_user(&made, sizeof(made), (void *)value);
        put_inode(scratch, held.files, made);
        return;
    }
    if (step.kind == STEP_TIMEOUT) {
        u8 *at = room(scratch);
        u32 tid = scratch->record.tid;
        struct timespec_ *timeout = timeouts.lookup(&tid);
        if (timeout) *(struct timespec_ *)(at + 2) = *timeout;
        close_piece(scratch, at, timeout ? sizeof(*timeout) : -1);
        timeouts.delete(&tid);
        return;
    }
    if (step.kind == STEP_MEMORY) {
        put_memory(scratch, held.mm);
        return;
    }
    if (step.kind == STEP_DATA) {
        if (length < 0) value = 0;
        if (length > snaplen) length = snaplen;
    } else if (step.kind == STEP_STRUCT) {
        length = step.c;
    } else if (step.kind == STEP_ARRAY) {
        length = (u32)length;
        length = (length < 64 ? length : 64) * step.c;
    } else if (step.kind == STEP_ADDRESS) {
        u32 told = length;
        if (step.c) {
            told = 0;
            bpf_probe_read_user(&told, sizeof(told), (void *)length);
        }
        if (!told) value = 0;
        length = told < 128 ? told : 128;
    }
    put_user(scratch, value, length);
}

static inline struct held held_by(struct task_struct *task) {
    struct held held = {AT(void *, task, TASK_FILES), AT(void *, task, TASK_MM)};
    return held;
}

// ---- calls ---------------------------------------------------------------------------------------------------------

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
    else if (nr >= CALLS - 1 && began) nr = began & NR_MASK; // a return from a signal takes its own number along
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

// ---- calls about sockets and scattered buffers ---------------------------------------------------------------------

struct socket_facts {
    u16 family, type, local_port, remote_port;
    u64 self, peer;
    u32 backlog, backlog_max;
    u8 local[16], remote[16];
};

static inline void put_socket(struct scratch *scratch, void *files, s64 number_, u8 needs) {
    u8 *at = room(scratch);
    long length = -1;
    u64 file = 0;
    if (needs == ALWAYS || number(scratch, needs)) file = file_of(files, number_);
    u64 inode = file ? READ(u64, file, FILE_INODE) : 0;
    if (inode && (READ(u16, inode, INODE_MODE) & 0xf000) == 0xc000) {
        struct socket_facts facts = {};
        u64 sk = READ(u64, READ(u64, file, FILE_PRIVATE), SOCKET_SK);
        u16 family = READ(u16, sk, SK_FAMILY);
        facts.family = family;
        facts.type = READ(u16, sk, SK_TYPE);
        facts.self = sk;
        facts.backlog = READ(u32, sk, SK_BACKLOG);
        facts.backlog_max = READ(u32, sk, SK_BACKLOG_MAX);
        length = sizeof(facts);
        if (family == 2 || family == 10) {
            u16 remote = READ(u16, sk, SK_DPORT);
            facts.local_port = READ(u16, sk, SK_NUM);
            facts.remote_port = remote << 8 | remote >> 8;
            if (family == 2) {
                bpf_probe_read_kernel(facts.local, 4, (void *)(sk + SK_SADDR));
                bpf_probe_read_kernel(facts.remote, 4, (void *)(sk + SK_DADDR));
            } else {
                bpf_probe_read_kernel(facts.local, 16, (void *)(sk + SK_V6_SADDR));
                bpf_probe_read_kernel(facts.remote, 16, (void *)(sk + SK_V6_DADDR));
            }
        } else if (family == 1) {
            facts.peer = READ(u64, sk, UNIX_PEER);
            u64 address = READ(u64, sk, UNIX_ADDR);
            if (!address && facts.peer) address = READ(u64, facts.peer, UNIX_ADDR);
            u64 size = address ? READ(u32, address, UNIX_ADDRESS_LEN) : 0;
            size = BOUNDED(size, 0x7f);
            bpf_probe_read_kernel(at + 2 + sizeof(facts), size, (void *)(address + UNIX_ADDRESS_NAME));
            length += size;
        }
        __builtin_memcpy(at + 2, &facts, sizeof(facts));
    }
    close_piece(scratch, at, length);
}

struct iovec_ {
    u64 base, length;
};

// Two pieces: u32 size asked for (all ones when there are more parts than were looked at), and the data.
static inline void put_parts(struct scratch *scratch, u64 parts, u64 count, s64 limit, u32 snaplen) {
    u8 *at = room(scratch);
    u32 size = 0;
    u64 left = limit < 0 ? 0 : limit;
    if (left > snaplen) left = snaplen;
    if (left > DATA_MAX) left = DATA_MAX;
    u8 *data = at + 2 + 4 + 2;
    scratch->part = 0;
    NOT_UNROLLED
    for (int i = 0; i < MAX_PARTS; i++) {
        struct iovec_ part = {};
        if (i >= count || bpf_probe_read_user(&part, sizeof(part), (void *)(parts + i * sizeof(part)))) break;
        size += part.length;
        u64 kept = BOUNDED(scratch->part, 0xffff);
        if (kept >= left) continue;
        u64 take = BOUNDED(part.length < left - kept ? part.length : left - kept, 0xffff);
        if (take > DATA_MAX) take = DATA_MAX;
        if (!bpf_probe_read_user(data + BOUNDED(kept, DATA_MAX - 1), take, (void *)part.base)) scratch->part = kept + take;
    }
    u32 kept = scratch->part;
    *(u16 *)at = 4;
    *(u32 *)(at + 2) = count <= MAX_PARTS ? size : ~0;
    *(u16 *)(at + 6) = limit < 0 ? ABSENT : kept;
    scratch->used += 8 + BOUNDED(kept, 0xffff);
}

struct message {
    u64 name;
    u32 name_length, unused;
    u64 parts, count, control, control_length;
    u64 flags;
    u32 length, unused2; // of struct mmsghdr only
};

// Pieces of a message: size, data, name, control, socket.
static inline struct call *call_of(struct scratch *scratch) {
    u32 nr = scratch->record.kind;
    return calls.lookup(&nr);
}

int sockets(struct bpf_raw_tracepoint_args *ctx) {
    struct task_struct *task = bpf_get_current_task_btf();
    struct config *config_ = wanted(task);
    struct scratch *scratch = scratch_of_cpu();
    if (!scratch || !config_) return 0;
    struct call *call = call_of(scratch);
    if (!call) return 0;
    struct held held = held_by(task);
    NOT_UNROLLED
    for (int i = 0; i < MAX_STEPS; i++) {
        if (i >= call->count) break;
        struct step step = call->steps[i];
        if (step.kind == STEP_SOCKET) {
            s64 fd = number(scratch, step.a);
            s32 made = fd;
            if (step.c) bpf_probe_read_user(&made, sizeof(made), (void *)fd);
            put_socket(scratch, held.files, made, step.b);
        } else {
            basic_step(scratch, held, step, config_->snaplen);
        }
    }
    send(scratch);
    return 0;
}

// Calls with parts have no other step.
int parts(struct bpf_raw_tracepoint_args *ctx) {
    struct task_struct *task = bpf_get_current_task_btf();
    struct config *config_ = wanted(task);
    struct scratch *scratch = scratch_of_cpu();
    if (!scratch || !config_) return 0;
    struct call *call = call_of(scratch);
    if (!call) return 0;
    struct step step = call->steps[0];
    struct message message = {};
    s64 limit = scratch->record.result;
    if (step.kind == STEP_PARTS) {
        message.parts = number(scratch, step.a);
        message.count = number(scratch, step.b);
    } else {
        bpf_probe_read_user(&message, step.b ? sizeof(message) : 56, (void *)number(scratch, step.a));
        if (step.b && limit > 0) limit = message.length;
    }
    put_parts(scratch, message.parts, message.count, limit, config_->snaplen);
    if (step.kind == STEP_MESSAGE) {
        put_user(scratch, message.name, message.name && message.name_length < 128 ? message.name_length : 0);
        put_user(scratch, limit >= 0 ? message.control : 0,
                 message.control_length < PIECE_MAX ? message.control_length : PIECE_MAX);
        put_socket(scratch, AT(void *, task, TASK_FILES), message.name ? (s32)scratch->record.args[0] : -1, ALWAYS);
    }
    send(scratch);
    return 0;
}

// ---- clone and exec: facts of the task -----------------------------------------------------------------------------

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

// ---- other happenings ----------------------------------------------------------------------------------------------

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

// ---- all tasks as they are now -------------------------------------------------------------------------------------

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
    u32 unused;
};

int bpf_iter__task(struct bpf_iter__task *ctx) {
    struct task_struct *task = ctx->task;
    if (!task) return 0;
    struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);
    if (!regs) return 0;
    struct task_now now = {};
    u32 tid = AT(u32, task, TASK_PID);
    u64 *slot = running.lookup(&tid);
    u64 began = slot ? *slot : 0;
    s64 number = READ(s64, regs, REGS_NR);
    now.tid = tid;
    now.pid = AT(u32, task, TASK_TGID);
    now.user = AT(u64, task, TASK_UTIME);
    now.system = AT(u64, task, TASK_STIME);
    now.runtime = AT(u64, task, TASK_RUNTIME);
    now.number = -1;
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
