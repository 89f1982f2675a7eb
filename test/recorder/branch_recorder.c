/*
 * QEMU TCG plugin that records the taken branches of an emulated program (qemu-user) or kernel (qemu-system). It
 * writes them as a perf.data with branch stacks, in the way of a CPU with a last-branch record. README.md lists the
 * options.
 *
 * QEMU translates code in blocks that end at every control transfer. If a block does not begin where the previous
 * block ended, a branch was taken: from the last instruction of the previous block to the first instruction of the
 * new block. If the block does begin there, a branch was taken if the last instruction always branches. A
 * conditional branch to the very next instruction is not seen.
 */
#define _GNU_SOURCE
#include "exact_counts.h"
#include "guest_images.h"
#include "perf_file.h"
#include "qemu_plugin_api.h"
#include "spe_trace.h"

#include <inttypes.h>
#include <libgen.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))
EXPORT int qemu_plugin_version = 1;

static const uint64_t page = 4096, longest_instruction = 15;
enum { MAX_VCPUS = 256, MAX_DEPTH = 64, KERNEL_MAPPING_PID = -1, FIRST_KERNEL_TASK = 1 };

struct block {
	uint64_t start, last_instruction, end;
	bool repeats; /* the block ends in a REP string instruction, which loops by entering the block again */
	bool always_branches; /* the block ends in a jump, call or return */
	bool may_branch; /* the block ends in a conditional branch */
	bool calls, returns; /* the block ends in a call; in a return */
	bool makes_frame; /* the block begins like a function that sets up a frame pointer */
	bool may_be_cut; /* the apparent last instruction may be the first of the next block */
	/* For sampled addresses: the address of each instruction, and the time that has passed at its end. */
	unsigned count;
	uint16_t *offsets;
	uint32_t *times;
};

/* A call in progress. */
struct call {
	uint64_t returns_to;
	bool has_frame; /* the callee sets up a frame pointer */
	unsigned context; /* for exact counts: the context of the callee */
};

/* One virtual CPU. In user mode, it is one thread. */
struct vcpu {
	const struct block *previous;
	struct branch ring[MAX_DEPTH];
	unsigned newest, filled;
	uint64_t until_sample;
	struct call *calls; /* calls in progress, the outermost first */
	unsigned call_count, call_capacity;
	int64_t time_until_sample;
	bool skids; /* true if a sample is reported at the next instruction */
	uint64_t last_target; /* target of the last taken branch; 0 if there is none yet */
	uint64_t run_start; /* for exact counts: start of the present straight-line range; 0 if there is none yet */
} __attribute__((aligned(64)));

static struct options {
	const char *out, *exact, *kernel_text_log, *vmlinux, *modules;
	uint64_t period, max;
	unsigned depth, pid;
	bool hw_idx, mispredictions, call_chains, by_frame_pointer, addresses, skid, spe, previous_targets;
} options = { .out = "perf.data", .period = 10007, .max = UINT64_MAX, .depth = 32, .pid = 1000 };

static struct vcpu vcpus[MAX_VCPUS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool recording, system_mode, x86;

/* The program itself, for exact counts. Its mappings lie between start and end. */
static struct {
	uint64_t start, end, bias;
} program;

/* The program is not known before its first block is translated. */
static void put_exec_once(void)
{
	static bool done;
	const char *path = qemu_plugin_path_to_binary();
	if (!done && path)
		perf_file_comm((int)options.pid, (int)options.pid, basename(strdup(path)), true);
	done = true;
}

static void on_mapping(const struct image_mapping *found)
{
	struct image_mapping m = *found;
	m.pid = m.tid = (int)options.pid;
	perf_file_mapping(&m);
	char real[4096];
	const char *main_path = qemu_plugin_path_to_binary();
	if (!main_path || !realpath(main_path, real) || strcmp(real, m.path))
		return;
	if (!program.end) {
		program.start = m.start;
		program.bias = m.bias;
	}
	program.end = m.start + m.length;
}

/* True for `rep movs` and similar instructions: prefixes, an optional REX, then a string opcode. */
static bool is_repeated_string(const uint8_t *code, size_t size)
{
	bool repeat = false;
	size_t i = 0;
	for (; i < size; i++) {
		uint8_t b = code[i];
		if (b == 0xf2 || b == 0xf3)
			repeat = true;
		else if (b != 0x66 && b != 0x67 && (b & 0xf0) != 0x40)
			break;
	}
	uint8_t op = i < size ? code[i] : 0;
	return repeat && ((op >= 0x6c && op <= 0x6f) || (op >= 0xa4 && op <= 0xa7) || (op >= 0xaa && op <= 0xaf));
}

/* Returns the offset of an x86 instruction's opcode, which is behind its prefixes. */
static size_t x86_opcode(const uint8_t *code, size_t size)
{
	size_t i = 0;
	while (i < size && (code[i] == 0x66 || code[i] == 0x67 || code[i] == 0x2e || code[i] == 0x3e || code[i] == 0xf2 ||
		code[i] == 0xf3 || (code[i] & 0xf0) == 0x40))
		i++;
	return i;
}

/* True for jumps, calls and returns of x86, direct or indirect. */
static bool is_x86_transfer(const uint8_t *code, size_t size)
{
	size_t i = x86_opcode(code, size);
	if (i >= size)
		return false;
	switch (code[i]) {
	case 0xe8: case 0xe9: case 0xeb: case 0xc2: case 0xc3: case 0xca: case 0xcb:
		return true;
	case 0xff:; /* call and jmp have the extensions /2 to /5 */
		unsigned reg = i + 1 < size ? code[i + 1] >> 3 & 7 : 0;
		return reg >= 2 && reg <= 5;
	default:
		return false;
	}
}

/* True for b, bl, br, blr, ret, and for the forms of the last three that authenticate a pointer. */
static bool is_aarch64_transfer(const uint8_t *code, size_t size)
{
	uint32_t word;
	if (size != sizeof word)
		return false;
	memcpy(&word, code, sizeof word);
	return (word & 0x7c000000) == 0x14000000 || (word & 0xfe9f0000) == 0xd61f0000;
}

/* True for b.cond, bc.cond, cbz, cbnz, tbz, tbnz. */
static bool is_aarch64_conditional(const uint8_t *code, size_t size)
{
	uint32_t word;
	if (size != sizeof word)
		return false;
	memcpy(&word, code, sizeof word);
	return (word & 0xff000000) == 0x54000000 || (word & 0x7c000000) == 0x34000000;
}

/*
 * Simulates a branch predictor. It remembers the last target of each branch, and predicts the same target again.
 * Branches that are not taken are not seen, so conditional branches are mispredicted only if they share an entry.
 */
static bool mispredicts(struct branch taken)
{
	enum { ENTRIES = 1 << 10 };
	static struct branch last[ENTRIES];
	struct branch *entry = &last[(taken.from ^ taken.from >> 10) % ENTRIES];
	bool right = entry->from == taken.from && entry->to == taken.to;
	*entry = taken;
	return !right;
}

static bool is_call(const uint8_t *code, size_t size)
{
	if (x86) {
		size_t i = x86_opcode(code, size);
		return i < size && (code[i] == 0xe8 || (code[i] == 0xff && i + 1 < size && (code[i + 1] >> 4 & 3) == 1));
	}
	uint32_t word;
	memcpy(&word, code, sizeof word);
	return (word & 0xfc000000) == 0x94000000 || (word & 0xfeff0000) == 0xd63f0000;
}

static bool is_return(const uint8_t *code, size_t size)
{
	if (x86) {
		size_t i = x86_opcode(code, size);
		return i < size && (code[i] == 0xc2 || code[i] == 0xc3 || code[i] == 0xca || code[i] == 0xcb);
	}
	uint32_t word;
	memcpy(&word, code, sizeof word);
	return (word & 0xfeff0000) == 0xd65f0000;
}

/* True for `push %rbp; mov %rsp,%rbp`, and for `stp x29, x30, [sp...]` among the first instructions. */
static bool makes_frame(struct qemu_plugin_tb *tb)
{
	enum { LOOKED_AT = 4 };
	bool pushed = false;
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb) && i < LOOKED_AT; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		const uint8_t *code = qemu_plugin_insn_data(insn);
		size_t size = qemu_plugin_insn_size(insn);
		uint32_t word;
		if (x86 && size == 1 && *code == 0x55)
			pushed = true;
		else if (x86 && pushed && size == 3)
			return !memcmp(code, "\x48\x89\xe5", size);
		else if (!x86 && memcpy(&word, code, sizeof word) && (word & 0xfe407fff) == 0xa8007bfd)
			return true;
	}
	return false;
}

/* Returns the context for exact counts: the calls from the program after the last call from other code. */
static unsigned context_of(const struct vcpu *v)
{
	return v->call_count ? v->calls[v->call_count - 1].context : 0;
}

/*
 * Returns the context of a call's callee. The program's mappings are known by then, because the call was in its
 * code.
 */
static unsigned context_behind(const struct vcpu *v, uint64_t call)
{
	bool inside = call >= program.start && call < program.end;
	return options.exact && !options.addresses && inside ? exact_context(context_of(v), call) : 0;
}

/*
 * Follows the calls of a thread. A return that fits no call changes nothing. longjmp leaves calls that the next
 * return removes.
 */
static void follow_calls(struct vcpu *v, const struct block *from, const struct block *to)
{
	if (from->calls) {
		if (v->call_count == v->call_capacity) {
			v->call_capacity = v->call_capacity ? 2 * v->call_capacity : 256;
			v->calls = realloc(v->calls, v->call_capacity * sizeof *v->calls);
		}
		unsigned context = context_behind(v, from->last_instruction);
		v->calls[v->call_count++] = (struct call){ from->end, to->makes_frame, context };
	} else if (from->returns) {
		for (unsigned i = v->call_count; i > 0; i--)
			if (v->calls[i - 1].returns_to == to->start) {
				v->call_count = i - 1;
				break;
			}
	} else if (to->makes_frame && v->call_count) {
		v->calls[v->call_count - 1].has_frame = true; /* a tail call */
	}
}

/*
 * Writes the call chain as the kernel does: a marker, the present address, then return addresses from the inside
 * out. With frame pointers, a function without a frame (not yet, or never) hides its caller.
 */
static unsigned call_chain(const struct vcpu *v, uint64_t address, uint64_t *chain)
{
	unsigned length = 0;
	chain[length++] = PERF_CONTEXT_USER;
	chain[length++] = address;
	for (unsigned i = v->call_count; i > 0 && length <= MAX_CALL_CHAIN; i--) {
		bool is_innermost = i == v->call_count;
		bool has_frame = v->calls[i - 1].has_frame && !(is_innermost && v->previous->makes_frame);
		if (!options.by_frame_pointer || has_frame)
			chain[length++] = v->calls[i - 1].returns_to;
	}
	return length;
}

static void take_sample(unsigned cpu, const struct vcpu *v)
{
	struct branch stack[MAX_DEPTH];
	unsigned depth = v->filled < options.depth ? v->filled : options.depth;
	for (unsigned i = 0; i < depth; i++)
		stack[i] = v->ring[(v->newest - i) % MAX_DEPTH];
	int pid = system_mode ? FIRST_KERNEL_TASK : (int)options.pid;
	uint64_t chain[MAX_CALL_CHAIN + 1];
	unsigned chain_length = options.call_chains ? call_chain(v, v->previous->start, chain) : 0;
	if (perf_file_samples() < options.max)
		perf_file_sample(pid, pid + (int)cpu, cpu, stack, depth, chain, chain_length);
}

/*
 * Returns the period with up to an eighth more or less, so that samples do not fall in step with loops. The numbers
 * are pseudo-random, and the same in each run.
 */
static int64_t next_period(void)
{
	static uint64_t state = 1;
	uint64_t spread = options.period / 4;
	state = state * 6364136223846793005 + 1442695040888963407;
	return (int64_t)(options.period - spread / 2 + (spread ? (state >> 33) % spread : 0));
}

static void take_address(unsigned cpu, const struct vcpu *v, uint64_t address)
{
	int pid = (int)options.pid;
	uint64_t chain[MAX_CALL_CHAIN + 1];
	unsigned chain_length = options.call_chains ? call_chain(v, address, chain) : 0;
	perf_file_address(pid, pid + (int)cpu, cpu, address, chain, chain_length);
}

/* Takes the samples whose time ends in this block. */
static void take_addresses(unsigned cpu, struct vcpu *v, const struct block *b)
{
	bool wanted = recording && perf_file_samples() < options.max;
	if (v->skids && wanted)
		take_address(cpu, v, b->start);
	v->skids = false;
	int64_t time = b->times[b->count - 1], left = v->time_until_sample;
	v->time_until_sample -= time;
	for (; v->time_until_sample <= 0; left = v->time_until_sample + time) {
		unsigned i = 0;
		while (i + 1 < b->count && b->times[i] < left)
			i++;
		v->time_until_sample += next_period();
		if (options.skid && ++i == b->count)
			v->skids = true;
		else if (wanted)
			take_address(cpu, v, b->start + b->offsets[i]);
	}
}

/* Samples branches, taken or not taken, as Arm SPE does. */
static void take_branch(unsigned cpu, struct vcpu *v, const struct block *from, const struct block *to, bool taken, bool mispredicted)
{
	if (--v->time_until_sample <= 0) {
		v->time_until_sample = next_period();
		if (recording && perf_file_samples() < options.max)
			spe_sample(cpu, (int)options.pid, (int)(options.pid + cpu), (struct spe_branch){
				.pc = from->last_instruction, .target = to->start,
				.previous_target = options.previous_targets ? v->last_target : 0,
				.taken = taken, .conditional = from->may_branch, .mispredicted = mispredicted });
	}
	if (taken)
		v->last_target = to->start;
}

/* Handles the step from one block to another. */
static void follow(unsigned cpu, struct vcpu *v, const struct block *before, const struct block *now)
{
	if (now->start == before->end && !before->always_branches) {
		if (options.spe && before->may_branch) {
			pthread_mutex_lock(&lock);
			take_branch(cpu, v, before, now, false, false);
			pthread_mutex_unlock(&lock);
		}
		return;
	}
	if ((before->repeats || before->may_be_cut) && now->start == before->last_instruction)
		return;
	unsigned context = context_of(v);
	if (options.call_chains)
		follow_calls(v, before, now);
	struct branch taken = { .from = before->last_instruction, .to = now->start };
	/* Kernel addresses are in the upper half. This is the privilege filter of an event with :k. */
	if (system_mode && ((int64_t)taken.from >= 0 || (int64_t)taken.to >= 0))
		return;

	if (options.mispredictions) {
		pthread_mutex_lock(&lock);
		taken.mispredicted = mispredicts(taken);
		pthread_mutex_unlock(&lock);
	}
	if (options.spe) {
		pthread_mutex_lock(&lock);
		take_branch(cpu, v, before, now, true, taken.mispredicted);
		pthread_mutex_unlock(&lock);
	}
	v->newest = (v->newest + 1) % MAX_DEPTH;
	v->ring[v->newest] = taken;
	v->filled += v->filled < MAX_DEPTH;
	bool sample = !options.addresses && !options.spe && --v->until_sample == 0;
	if (!sample && !options.exact)
		return;
	pthread_mutex_lock(&lock);
	if (recording && options.exact)
		exact_count(taken, context, &v->run_start);
	if (recording && sample)
		take_sample(cpu, v);
	pthread_mutex_unlock(&lock);
	if (sample)
		v->until_sample = options.period;
}

static void on_block_executed(unsigned cpu, void *data)
{
	struct vcpu *v = &vcpus[cpu % MAX_VCPUS];
	const struct block *now = data, *before = v->previous;
	v->previous = now;
	if (before)
		follow(cpu, v, before, now);
	if (options.addresses) {
		pthread_mutex_lock(&lock);
		take_addresses(cpu, v, now);
		pthread_mutex_unlock(&lock);
	}
}

/*
 * Returns the time of an instruction in a simple model: one unit, three for a multiplication, twenty for a
 * division. No CPU has these times, but on all CPUs divisions have more samples than executions.
 */
static uint32_t time_of(const uint8_t *code, size_t size)
{
	enum { PLAIN = 1, MULTIPLICATION = 3, DIVISION = 20 };
	if (!x86) {
		uint32_t word = 0;
		memcpy(&word, code, size < sizeof word ? size : sizeof word);
		if ((word & 0x7fe0f800) == 0x1ac00800) /* udiv, sdiv */
			return DIVISION;
		return (word & 0x7f000000) == 0x1b000000 ? MULTIPLICATION : PLAIN; /* madd and similar instructions */
	}
	size_t i = 0;
	while (i < size && (code[i] == 0x66 || code[i] == 0x67 || code[i] == 0xf2 || code[i] == 0xf3 || (code[i] & 0xf0) == 0x40))
		i++;
	if (i + 1 >= size)
		return PLAIN;
	unsigned reg = code[i + 1] >> 3 & 7;
	if (code[i] == 0xf6 || code[i] == 0xf7)
		return reg >= 6 ? DIVISION : reg >= 4 ? MULTIPLICATION : PLAIN;
	if (code[i] == 0x0f && (code[i + 1] == 0x5e || code[i + 1] == 0x51))
		return DIVISION;
	return code[i] == 0x69 || code[i] == 0x6b || (code[i] == 0x0f && code[i + 1] == 0xaf) ? MULTIPLICATION : PLAIN;
}

static void on_block_translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	(void)id;
	struct qemu_plugin_insn *last = qemu_plugin_tb_get_insn(tb, qemu_plugin_tb_n_insns(tb) - 1);
	size_t size = qemu_plugin_insn_size(last);
	struct block *b = calloc(1, sizeof *b);
	b->start = qemu_plugin_tb_vaddr(tb);
	b->last_instruction = qemu_plugin_insn_vaddr(last);
	b->end = b->last_instruction + size;
	const uint8_t *code = qemu_plugin_insn_data(last);
	b->repeats = x86 && is_repeated_string(code, size);
	b->calls = is_call(code, size);
	b->returns = is_return(code, size);
	b->makes_frame = makes_frame(tb);
	b->always_branches = x86 ? is_x86_transfer(code, size) : is_aarch64_transfer(code, size);
	b->may_branch = !x86 && is_aarch64_conditional(code, size);
	/*
	 * QEMU leaves an x86 instruction that continues on the next page to a block of its own. But QEMU also
	 * reports it here, with the bytes that it had read.
	 */
	b->may_be_cut = x86 && qemu_plugin_tb_n_insns(tb) > 1 &&
		(b->last_instruction + longest_instruction - 1) / page != b->last_instruction / page;
	if (options.addresses) {
		uint32_t time = 0;
		b->count = (unsigned)qemu_plugin_tb_n_insns(tb);
		b->offsets = calloc(b->count, sizeof *b->offsets);
		b->times = calloc(b->count, sizeof *b->times);
		for (unsigned i = 0; i < b->count; i++) {
			struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
			b->offsets[i] = (uint16_t)(qemu_plugin_insn_vaddr(insn) - b->start);
			b->times[i] = time += time_of(qemu_plugin_insn_data(insn), qemu_plugin_insn_size(insn));
		}
	}
	if (!system_mode) {
		/* Code is translated before it runs, so its mapping comes before its samples. */
		pthread_mutex_lock(&lock);
		if (recording && !guest_address_known(b->start)) {
			put_exec_once();
			guest_discover_image(b->start, on_mapping);
		}
		pthread_mutex_unlock(&lock);
	}
	qemu_plugin_register_vcpu_tb_exec_cb(tb, on_block_executed, QEMU_PLUGIN_CB_NO_REGS, b);
}

static void on_vcpu_started(qemu_plugin_id_t id, unsigned cpu)
{
	(void)id;
	struct vcpu *v = &vcpus[cpu % MAX_VCPUS];
	/* The first samples are staggered, so that threads in step are not always sampled at the same place. */
	v->until_sample = options.period + cpu * 37 % options.period;
	v->time_until_sample = (int64_t)v->until_sample;
	if (system_mode || cpu == 0)
		return;
	pthread_mutex_lock(&lock);
	if (recording)
		perf_file_fork((int)options.pid, (int)(options.pid + cpu), (int)options.pid, (int)options.pid);
	pthread_mutex_unlock(&lock);
}

/*
 * Reads addresses under KASLR. Only the booted kernel knows the addresses of itself and of its modules. It prints
 * lines "_text=HEX" and "module=NAME SIZE HEX", from /proc/kallsyms and /proc/modules, to its console, which is the
 * file kernel_text_log. Calls `visit` with the text after `key` in each of these lines.
 */
static void read_kernel_log(const char *key, void (*visit)(const char *value))
{
	FILE *log = fopen(options.kernel_text_log, "r");
	char line[4096];
	while (log && fgets(line, sizeof line, log)) {
		const char *found = strstr(line, key);
		if (found)
			visit(found + strlen(key));
	}
	if (log)
		fclose(log);
}

/*
 * The mappings of the kernel and its modules, as perf writes them before it records. Addresses follow at exit. The
 * kernel's mapping is named after the symbol whose run-time address is in pgoff. The mappings of modules are named
 * after their files: the directory `modules` has a file "paths" with their paths in the guest.
 */
static struct module {
	char name[64];
	unsigned mapping;
} *modules;
static unsigned module_count;

static void put_kernel_mappings(void)
{
	struct image_mapping m = { .pid = KERNEL_MAPPING_PID, .path = "[kernel.kallsyms]_text" };
	if (options.vmlinux)
		m.build_id_size = elf_build_id(options.vmlinux, m.build_id);
	perf_file_mapping(&m);
	if (!options.modules)
		return;
	char path[4096], own[8192];
	snprintf(own, sizeof own, "%s/paths", options.modules);
	FILE *list = fopen(own, "r");
	while (list && fscanf(list, "%4095s", path) == 1) {
		const char *file = strrchr(path, '/') + 1;
		modules = realloc(modules, (module_count + 1) * sizeof *modules);
		struct module *module = &modules[module_count++];
		/* In the kernel, names of modules have '_' instead of '-'. */
		snprintf(module->name, sizeof module->name, "%.*s", (int)strcspn(file, "."), file);
		for (char *c = module->name; *c; c++)
			if (*c == '-')
				*c = '_';
		struct image_mapping found = { .pid = KERNEL_MAPPING_PID, .path = path };
		snprintf(own, sizeof own, "%s/%s", options.modules, file);
		found.build_id_size = elf_build_id(own, found.build_id);
		module->mapping = perf_file_mapping(&found);
	}
	if (list)
		fclose(list);
	else
		perror(own);
}

static uint64_t kernel_text;

static void visit_text(const char *value)
{
	kernel_text = strtoull(value, NULL, 16);
}

static void visit_module(const char *value)
{
	char name[64];
	uint64_t size, base;
	if (sscanf(value, "%63s %" SCNu64 " %" SCNx64, name, &size, &base) != 3)
		return;
	for (unsigned i = 0; i < module_count; i++)
		if (!strcmp(modules[i].name, name))
			perf_file_move_mapping(modules[i].mapping, base, size, 0);
}

static void move_kernel_mappings(void)
{
	const uint64_t modules_start = 0xffffffffc0000000; /* Documentation/arch/x86/x86_64/mm.rst */
	read_kernel_log("_text=", visit_text);
	if (kernel_text)
		perf_file_move_mapping(0, kernel_text, modules_start - kernel_text, kernel_text);
	else
		fprintf(stderr, "branch_recorder: no _text= in %s\n", options.kernel_text_log);
	read_kernel_log("module=", visit_module);
}

static void on_exit_of_guest(qemu_plugin_id_t id, void *data)
{
	(void)id;
	(void)data;
	pthread_mutex_lock(&lock);
	if (recording) {
		recording = false;
		if (system_mode)
			move_kernel_mappings();
		if (options.exact && !exact_write(options.exact, program.start, program.end, program.bias, options.call_chains && !options.addresses))
			perror(options.exact);
		spe_flush();
		uint64_t samples = perf_file_samples();
		if (perf_file_close())
			fprintf(stderr, "branch_recorder: %" PRIu64 " samples in %s\n", samples, options.out);
		else
			perror(options.out);
	}
	pthread_mutex_unlock(&lock);
}

/* A forked child shares the descriptor of the file, so the child continues without recording. */
static void on_fork_in_child(void)
{
	recording = false;
}

static bool parse_option(const char *name, const char *value)
{
	char *rest = "";
	if (!strcmp(name, "out"))
		options.out = value;
	else if (!strcmp(name, "exact"))
		options.exact = value;
	else if (!strcmp(name, "kernel_text_log"))
		options.kernel_text_log = value;
	else if (!strcmp(name, "vmlinux"))
		options.vmlinux = value;
	else if (!strcmp(name, "modules"))
		options.modules = value;
	else if (!strcmp(name, "period"))
		options.period = strtoull(value, &rest, 10);
	else if (!strcmp(name, "max"))
		options.max = strtoull(value, &rest, 10);
	else if (!strcmp(name, "depth"))
		options.depth = (unsigned)strtoul(value, &rest, 10);
	else if (!strcmp(name, "pid"))
		options.pid = (unsigned)strtoul(value, &rest, 10);
	else if (!strcmp(name, "callchain")) {
		options.by_frame_pointer = !strcmp(value, "fp");
		options.call_chains = options.by_frame_pointer || !strcmp(value, "1");
		return options.call_chains;
	} else if (!strcmp(name, "spe")) {
		options.previous_targets = !strcmp(value, "pbt");
		options.spe = options.previous_targets || !strcmp(value, "1");
		return options.spe;
	} else if (!strcmp(name, "hw_idx"))
		options.hw_idx = !strcmp(value, "on");
	else if (!strcmp(name, "addresses"))
		options.addresses = !strcmp(value, "on");
	else if (!strcmp(name, "skid"))
		options.skid = !strcmp(value, "on");
	else if (!strcmp(name, "mispredictions"))
		options.mispredictions = !strcmp(value, "on");
	else
		return false;
	return !*rest && options.period > 0 && options.depth > 0 && options.depth <= MAX_DEPTH;
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
	system_mode = info->system_emulation;
	x86 = !strcmp(info->target_name, "x86_64");
	if (!x86 && strcmp(info->target_name, "aarch64")) {
		fprintf(stderr, "branch_recorder: %s is neither x86_64 nor aarch64\n", info->target_name);
		return 1;
	}
	for (int i = 0; i < argc; i++) {
		char *argument = strdup(argv[i]), *value = strchr(argument, '=');
		if (value)
			*value++ = 0;
		if (!value || !parse_option(argument, value)) {
			fprintf(stderr, "branch_recorder: bad option %s\n", argv[i]);
			return 1;
		}
	}
	if (system_mode && options.addresses) {
		fprintf(stderr, "branch_recorder: addresses of a kernel cannot be sampled\n");
		return 1;
	}
	if (options.spe && (system_mode || x86)) {
		fprintf(stderr, "branch_recorder: Arm SPE is of programs for AArch64\n");
		return 1;
	}
	if (system_mode && !options.kernel_text_log) {
		fprintf(stderr, "branch_recorder: a kernel needs kernel_text_log=FILE\n");
		return 1;
	}
	if (system_mode && options.call_chains) {
		fprintf(stderr, "branch_recorder: call chains are of programs, not of kernels\n");
		return 1;
	}
	struct event event = {
		/*
		 * The configs: branch_filter and ts_enable of Arm SPE; BR_INST_RETIRED.NEAR_TAKEN of Intel's cores;
		 * BR_RETIRED of Armv8's PMU.
		 */
		.config = options.spe ? 1ull << 32 | 1 : x86 ? 0x20c4 : 0x21,
		.period = options.period,
		.kernel = system_mode,
		.hw_idx = options.hw_idx,
		.call_chains = options.call_chains,
		.addresses = options.addresses,
		.spe = options.spe,
		.precise = !options.skid,
		.arch = info->target_name,
	};
	if (!perf_file_open(options.out, &event)) {
		perror(options.out);
		return 1;
	}
	recording = true;
	if (system_mode)
		put_kernel_mappings();
	pthread_atfork(NULL, NULL, on_fork_in_child);
	qemu_plugin_register_vcpu_init_cb(id, on_vcpu_started);
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_block_translated);
	qemu_plugin_register_atexit_cb(id, on_exit_of_guest, NULL);
	return 0;
}
