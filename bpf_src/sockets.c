// Calls about sockets and scattered buffers.

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

// Calls with parts have no other step. Pieces of a message: size, data, name, control, socket.
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
