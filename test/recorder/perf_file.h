/*
 * Writes a file-mode perf.data with one branch-stack event. Layout:
 * tools/perf/Documentation/perf.data-file-format.txt; records: linux/perf_event.h.
 */
#ifndef PERF_FILE_H
#define PERF_FILE_H

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BUILD_ID_MAX 20

/*
 * Largest number of addresses in a call chain, as with Linux's kernel.perf_event_max_stack. The marker is not
 * counted.
 */
#define MAX_CALL_CHAIN 127

struct event {
	uint64_t config; /* raw PMU event code of a taken branch */
	uint64_t period;
	bool kernel; /* true for an event with :k, false for :u */
	bool addresses; /* samples of `cycles` without branch stacks */
	bool precise; /* true if the addresses are those of the sampled instructions */
	bool hw_idx; /* true if the hw_idx word is written (PERF_SAMPLE_BRANCH_HW_INDEX) */
	bool call_chains; /* true if recorded with -g */
	bool spe; /* an event of Arm SPE, which has a trace instead of samples */
	const char *arch; /* name of the architecture, as uname -m prints it */
};

struct image_mapping {
	int pid, tid;
	uint64_t start, length, file_offset;
	const char *path;
	uint8_t build_id[BUILD_ID_MAX];
	unsigned build_id_size; /* 0 if there is no build id */
	uint64_t bias; /* run-time address minus the ELF address; not part of the record */
};

struct branch {
	uint64_t from, to;
	bool mispredicted;
};

bool perf_file_open(const char *path, const struct event *event);
void perf_file_comm(int pid, int tid, const char *name, bool exec);
void perf_file_fork(int pid, int tid, int parent_pid, int parent_tid);
/* Writes the record of a mapping. Returns the mapping's number. */
unsigned perf_file_mapping(const struct image_mapping *mapping);
/* Changes the addresses in the record of a mapping, if they are known only after the run. */
void perf_file_move_mapping(unsigned number, uint64_t start, uint64_t length, uint64_t file_offset);
/*
 * Writes a sample. `stack` has the newest entry first, as perf stores it. `chain` begins with a marker
 * (PERF_CONTEXT_USER), then goes from the inside out.
 */
void perf_file_sample(int pid, int tid, unsigned cpu, const struct branch *stack, unsigned depth, const uint64_t *chain,
	unsigned chain_length);
/* Writes a sample without a branch stack, for an event of that kind. */
void perf_file_address(int pid, int tid, unsigned cpu, uint64_t address, const uint64_t *chain, unsigned chain_length);
/* Returns the time of the next sample of the trace, in ticks of the CPU's timer. */
uint64_t perf_file_tick(void);
/*
 * Writes a part of a CPU's trace. It lies `offset` bytes behind the start of the CPU's buffer; its size is a
 * multiple of 8 bytes.
 */
void perf_file_trace(unsigned cpu, int pid, int tid, uint64_t offset, const uint8_t *bytes, size_t size);
uint64_t perf_file_samples(void);
/* Completes the header and the feature sections. Returns false if any part could not be written. */
bool perf_file_close(void);

#endif
