#include "perf_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Feature bits of the file header (perf.data-file-format.txt). They are not part of the kernel's ABI. */
enum { FEATURE_BUILD_ID = 2, FEATURE_ARCH = 6, FEATURE_BRANCH_STACK = 15 };

/* Bit of `misc` in BUILD_ID entries: the size byte is valid (perf: util/header.h). */
enum { MISC_BUILD_ID_SIZE = 1 << 15 };

/*
 * Types of perf's own records (perf: tools/lib/perf/include/perf/event.h), the number of Arm SPE, and the type of
 * its event here.
 */
enum { RECORD_AUXTRACE_INFO = 70, RECORD_AUXTRACE = 71, RECORD_TIME_CONV = 79, AUXTRACE_ARM_SPE = 4, SPE_PMU = 11 };

/* The CPU's timer has 25 MHz, so a tick is 40 nanoseconds, scaled by two to the power of TIMER_SHIFT. */
enum { NANOSECONDS_A_TICK = 40, TIMER_SHIFT = 10 };

/* The kernel cuts the name of a task to this size (TASK_COMM_LEN). */
enum { COMM_SIZE = 16 };

struct section {
	uint64_t offset, size;
};

struct file_header {
	char magic[8];
	uint64_t size, attr_size;
	struct section attrs, data, event_types;
	uint64_t features[4];
};

struct file_attr {
	struct perf_event_attr attr;
	struct section ids;
};

/* The sample_id trailer of every record that is not a sample (sample_id_all). */
struct sample_id {
	uint32_t pid, tid;
	uint64_t time;
	uint32_t cpu, reserved;
};

static FILE *file;
static struct event event;
static uint64_t data_size, samples;
static uint64_t *mappings; /* offsets of their records in the file */
static unsigned mapping_count;
static struct image_mapping *identified; /* mappings whose build ids go into the BUILD_ID section */
static unsigned identified_count;

static const uint64_t data_offset = sizeof(struct file_header) + sizeof(struct file_attr);

static uint64_t align8(uint64_t n)
{
	return (n + 7) & ~(uint64_t)7;
}

static void put(const void *bytes, size_t size)
{
	fwrite(bytes, 1, size, file);
	data_size += size;
}

static void put_padded(const char *text, size_t padded)
{
	static const char zeros[8];
	size_t length = strlen(text);
	put(text, length);
	for (size_t rest = padded - length; rest; rest -= rest < 8 ? rest : 8)
		put(zeros, rest < 8 ? rest : 8);
}

/* Returns the time, which counts samples. So recordings of the same run are equal byte for byte. */
static uint64_t now(void)
{
	return 1000000000 + samples * 1000;
}

static void put_sample_id(int pid, int tid)
{
	struct sample_id id = { pid, tid, now(), 0, 0 };
	put(&id, sizeof id);
}

static struct perf_event_header record(uint32_t type, uint16_t misc, size_t size)
{
	return (struct perf_event_header){ .type = type, .misc = misc, .size = (uint16_t)size };
}

static void put_trace_info(void)
{
	struct {
		struct perf_event_header header;
		uint32_t type, reserved;
		uint64_t pmu, has_buffer_per_cpu;
	} info = { { 0 }, AUXTRACE_ARM_SPE, 0, SPE_PMU, 1 };
	info.header = record(RECORD_AUXTRACE_INFO, 0, sizeof info);
	put(&info, sizeof info);
	struct {
		struct perf_event_header header;
		uint64_t shift, multiplier, zero, cycles, mask;
		uint8_t has_zero, is_short, reserved[6];
	} clock = { .shift = TIMER_SHIFT, .multiplier = NANOSECONDS_A_TICK << TIMER_SHIFT, .has_zero = 1 };
	clock.header = record(RECORD_TIME_CONV, 0, sizeof clock);
	put(&clock, sizeof clock);
}

bool perf_file_open(const char *path, const struct event *e)
{
	event = *e;
	file = fopen(path, "wb");
	if (!file)
		return false;
	for (uint64_t i = 0; i < data_offset; i++)
		fputc(0, file); /* perf_file_close() writes the header to this place */
	if (event.spe)
		put_trace_info();
	return true;
}

void perf_file_comm(int pid, int tid, const char *name, bool exec)
{
	char comm[COMM_SIZE] = { 0 };
	strncpy(comm, name, sizeof comm - 1);
	size_t padded = align8(strlen(comm) + 1);
	struct {
		struct perf_event_header header;
		uint32_t pid, tid;
	} r = { { 0 }, pid, tid };
	r.header = record(PERF_RECORD_COMM, exec ? PERF_RECORD_MISC_COMM_EXEC : 0,
		sizeof r + padded + sizeof(struct sample_id));
	put(&r, sizeof r);
	put_padded(comm, padded);
	put_sample_id(pid, tid);
}

void perf_file_fork(int pid, int tid, int parent_pid, int parent_tid)
{
	struct {
		struct perf_event_header header;
		uint32_t pid, ppid, tid, ptid;
		uint64_t time;
	} r = { { 0 }, pid, parent_pid, tid, parent_tid, now() };
	r.header = record(PERF_RECORD_FORK, 0, sizeof r + sizeof(struct sample_id));
	put(&r, sizeof r);
	put_sample_id(parent_pid, parent_tid);
}

/* Keeps the build id of the mapping for the BUILD_ID section. */
static void identify(const struct image_mapping *m)
{
	for (unsigned i = 0; i < identified_count; i++)
		if (!strcmp(identified[i].path, m->path))
			return;
	identified = realloc(identified, (identified_count + 1) * sizeof *identified);
	identified[identified_count] = *m;
	identified[identified_count++].path = strdup(m->path);
}

unsigned perf_file_mapping(const struct image_mapping *m)
{
	enum { PROT_R_X = 5, PRIVATE = 2 };
	size_t padded = align8(strlen(m->path) + 1);
	struct {
		struct perf_event_header header;
		uint32_t pid, tid;
		uint64_t start, length, file_offset;
		uint32_t dev_major, dev_minor; /* device and inode stay 0, because they differ between machines */
		uint64_t inode, inode_generation;
		uint32_t protection, flags;
	} r = { .pid = m->pid, .tid = m->tid, .start = m->start, .length = m->length,
		.file_offset = m->file_offset, .protection = PROT_R_X, .flags = PRIVATE };
	r.header = record(PERF_RECORD_MMAP2,
		event.kernel ? PERF_RECORD_MISC_KERNEL : PERF_RECORD_MISC_USER,
		sizeof r + padded + sizeof(struct sample_id));
	mappings = realloc(mappings, (mapping_count + 1) * sizeof *mappings);
	mappings[mapping_count] = data_offset + data_size;
	put(&r, sizeof r);
	put_padded(m->path, padded);
	put_sample_id(m->pid, m->tid);

	if (m->build_id_size)
		identify(m);
	return mapping_count++;
}

void perf_file_move_mapping(unsigned number, uint64_t start, uint64_t length, uint64_t file_offset)
{
	uint64_t addresses[] = { start, length, file_offset };
	const long behind_ids = sizeof(struct perf_event_header) + 2 * sizeof(uint32_t);
	fseeko(file, (off_t)mappings[number] + behind_ids, SEEK_SET);
	fwrite(addresses, sizeof addresses, 1, file);
	fseeko(file, 0, SEEK_END);
}

void perf_file_sample(int pid, int tid, unsigned cpu, const struct branch *stack, unsigned depth, const uint64_t *chain,
	unsigned chain_length)
{
	struct {
		struct perf_event_header header;
		uint64_t ip;
		uint32_t pid, tid;
		uint64_t time;
		uint32_t cpu, reserved;
		uint64_t period;
	} r = { { 0 }, depth ? stack[0].to : 0, pid, tid, now(), cpu, 0, event.period };
	size_t entry_size = sizeof(struct perf_branch_entry);
	uint64_t hw_idx = 0, calls = chain_length, entries = depth;
	r.header = record(PERF_RECORD_SAMPLE,
		event.kernel ? PERF_RECORD_MISC_KERNEL : PERF_RECORD_MISC_USER,
		sizeof r + (event.call_chains ? sizeof calls + chain_length * sizeof *chain : 0) + sizeof entries +
		(event.hw_idx ? sizeof hw_idx : 0) + depth * entry_size);
	put(&r, sizeof r);
	if (event.call_chains) {
		put(&calls, sizeof calls);
		put(chain, chain_length * sizeof *chain);
	}
	put(&entries, sizeof entries);
	if (event.hw_idx)
		put(&hw_idx, sizeof hw_idx);
	for (unsigned i = 0; i < depth; i++) {
		struct perf_branch_entry entry = { .from = stack[i].from, .to = stack[i].to,
			.mispred = stack[i].mispredicted, .predicted = !stack[i].mispredicted };
		put(&entry, entry_size);
	}
	samples++;
}

void perf_file_address(int pid, int tid, unsigned cpu, uint64_t address, const uint64_t *chain, unsigned chain_length)
{
	struct {
		struct perf_event_header header;
		uint64_t ip;
		uint32_t pid, tid;
		uint64_t time;
		uint32_t cpu, reserved;
		uint64_t period;
	} r = { { 0 }, address, pid, tid, now(), cpu, 0, event.period };
	uint64_t calls = chain_length;
	r.header = record(PERF_RECORD_SAMPLE, PERF_RECORD_MISC_USER | (event.precise ? PERF_RECORD_MISC_EXACT_IP : 0),
		sizeof r + (event.call_chains ? sizeof calls + chain_length * sizeof *chain : 0));
	put(&r, sizeof r);
	if (event.call_chains) {
		put(&calls, sizeof calls);
		put(chain, chain_length * sizeof *chain);
	}
	samples++;
}

uint64_t perf_file_tick(void)
{
	samples++;
	return now() / NANOSECONDS_A_TICK;
}

void perf_file_trace(unsigned cpu, int pid, int tid, uint64_t offset, const uint8_t *bytes, size_t size)
{
	struct {
		struct perf_event_header header;
		uint64_t offset, size, flags;
		struct sample_id id;
	} aux = { .offset = offset, .size = size, .id = { pid, tid, now(), cpu, 0 } };
	aux.header = record(PERF_RECORD_AUX, 0, sizeof aux);
	put(&aux, sizeof aux);
	struct {
		struct perf_event_header header;
		uint64_t size, offset, reference;
		int32_t index, tid, cpu, reserved;
	} trace = { .size = size, .offset = offset, .index = (int)cpu, .tid = -1, .cpu = (int)cpu };
	trace.header = record(RECORD_AUXTRACE, 0, sizeof trace);
	put(&trace, sizeof trace);
	put(bytes, size);
}

uint64_t perf_file_samples(void)
{
	return samples;
}

static struct file_attr describe_event(void)
{
	struct file_attr a = { 0 };
	bool stacks = !event.addresses && !event.spe;
	a.attr.type = event.spe ? SPE_PMU : event.addresses ? PERF_TYPE_HARDWARE : PERF_TYPE_RAW;
	a.attr.size = sizeof a.attr;
	a.attr.config = event.addresses ? PERF_COUNT_HW_CPU_CYCLES : event.config;
	a.attr.precise_ip = event.addresses && event.precise ? 2 : 0;
	a.attr.sample_period = event.period;
	a.attr.sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CPU |
		PERF_SAMPLE_PERIOD | (stacks ? PERF_SAMPLE_BRANCH_STACK : 0) |
		(event.call_chains ? PERF_SAMPLE_CALLCHAIN : 0);
	a.attr.disabled = 1;
	a.attr.exclude_user = event.kernel;
	a.attr.exclude_kernel = !event.kernel;
	a.attr.mmap = a.attr.mmap2 = a.attr.comm = a.attr.comm_exec = a.attr.task = 1;
	a.attr.sample_id_all = 1;
	if (stacks)
		a.attr.branch_sample_type = PERF_SAMPLE_BRANCH_ANY |
			(event.kernel ? PERF_SAMPLE_BRANCH_KERNEL : PERF_SAMPLE_BRANCH_USER) |
			(event.hw_idx ? PERF_SAMPLE_BRANCH_HW_INDEX : 0);
	a.ids.offset = data_offset; /* a single event needs no ids */
	return a;
}

static void put_build_ids(void)
{
	for (unsigned i = 0; i < identified_count; i++) {
		const struct image_mapping *m = &identified[i];
		size_t padded = align8(strlen(m->path) + 1);
		struct {
			struct perf_event_header header;
			int32_t pid;
			uint8_t id[BUILD_ID_MAX], id_size, reserved[3];
		} r = { .pid = -1 };
		r.header = record(0, MISC_BUILD_ID_SIZE |
			(event.kernel ? PERF_RECORD_MISC_KERNEL : PERF_RECORD_MISC_USER), sizeof r + padded);
		memcpy(r.id, m->build_id, m->build_id_size);
		r.id_size = (uint8_t)m->build_id_size;
		put(&r, sizeof r);
		put_padded(m->path, padded);
	}
}

static void put_string(const char *text)
{
	uint32_t padded = (uint32_t)align8(strlen(text) + 1);
	put(&padded, sizeof padded);
	put_padded(text, padded);
}

bool perf_file_close(void)
{
	struct file_header h = { .magic = "PERFILE2", .size = sizeof h, .attr_size = sizeof(struct file_attr) };
	h.attrs = (struct section){ sizeof h, sizeof(struct file_attr) };
	h.data = (struct section){ data_offset, data_size };

	/* The feature sections follow the data. Their table comes first, in the order of the bits. */
	struct section table[3];
	unsigned used = 0;
	uint64_t features = 1 << FEATURE_ARCH | (event.addresses || event.spe ? 0 : 1 << FEATURE_BRANCH_STACK);
	if (identified_count)
		features |= 1 << FEATURE_BUILD_ID;
	unsigned entries = (unsigned)__builtin_popcountll(features);
	uint64_t table_offset = data_offset + data_size;
	h.features[0] = features;
	fseeko(file, (off_t)(table_offset + entries * sizeof *table), SEEK_SET);
	uint64_t end = table_offset + entries * sizeof *table;
	for (unsigned bit = 0; bit < 64; bit++) {
		if (!(features >> bit & 1))
			continue;
		data_size = 0;
		if (bit == FEATURE_BUILD_ID)
			put_build_ids();
		else if (bit == FEATURE_ARCH)
			put_string(event.arch);
		table[used++] = (struct section){ end, data_size };
		end += data_size;
	}
	fseeko(file, (off_t)table_offset, SEEK_SET);
	fwrite(table, sizeof *table, used, file);

	struct file_attr a = describe_event();
	fseeko(file, 0, SEEK_SET);
	fwrite(&h, sizeof h, 1, file);
	fwrite(&a, sizeof a, 1, file);
	bool failed = ferror(file);
	return fclose(file) == 0 && !failed;
}
