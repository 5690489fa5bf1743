// Pieces of a record's payload: each is appended at `used`, which stays below POSITION_MASK.

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

// More than the format has room for becomes the most it has room for: an address space can be far larger.
static inline u32 kib_of(s64 pages) {
    u64 kib = (u64)(pages < 0 ? 0 : pages) << (PAGE_SHIFT_ - 10);
    return kib > 0xFFFFFFFFULL ? 0xFFFFFFFF : kib;
}

static inline struct memory_facts memory_of(void *mm) {
    struct memory_facts facts = {};
    if (mm) {
        facts.size = kib_of(AT(s64, mm, MM_TOTAL));
        facts.rss = kib_of(AT(s64, mm, MM_RSS_FILE) + AT(s64, mm, MM_RSS_ANON) + AT(s64, mm, MM_RSS_SHMEM));
        facts.swap = kib_of(AT(s64, mm, MM_RSS_SWAP));
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

static inline struct call *call_of(struct scratch *scratch) {
    u32 nr = scratch->record.kind;
    return calls.lookup(&nr);
}
