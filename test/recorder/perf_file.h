/*
 * Writer of a file-mode perf.data with one branch-stack event.
 * Layout: tools/perf/Documentation/perf.data-file-format.txt; records: linux/perf_event.h.
 */
#ifndef PERF_FILE_H
#define PERF_FILE_H

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BUILD_ID_MAX 20

/* So many addresses a call chain has at most, as with Linux's kernel.perf_event_max_stack; the marker comes on top. */
#define MAX_CALL_CHAIN 127

struct event {
	uint64_t config; /* raw PMU event code of a taken branch */
	uint64_t period;
	bool kernel; /* recorded with :k instead of :u */
	bool addresses; /* samples of `cycles` without branch stacks */
	bool precise; /* the addresses are those of the sampled instructions */
	bool hw_idx; /* write the hw_idx word (PERF_SAMPLE_BRANCH_HW_INDEX) */
	bool call_chains; /* recorded with -g */
	bool spe; /* an event of Arm SPE, which has a trace in place of samples */
	const char *arch; /* as uname -m gives it */
};

struct image_mapping {
	int pid, tid;
	uint64_t start, length, file_offset;
	const char *path;
	uint8_t build_id[BUILD_ID_MAX];
	unsigned build_id_size; /* 0: none */
	uint64_t bias; /* run-time address minus the ELF's; not part of the record */
};

struct branch {
	uint64_t from, to;
	bool mispredicted;
};

bool perf_file_open(const char *path, const struct event *event);
void perf_file_comm(int pid, int tid, const char *name, bool exec);
void perf_file_fork(int pid, int tid, int parent_pid, int parent_tid);
/* Returns the mapping's number. */
unsigned perf_file_mapping(const struct image_mapping *mapping);
/* Changes addresses of a mapping written before, for those known only after the run. */
void perf_file_move_mapping(unsigned number, uint64_t start, uint64_t length, uint64_t file_offset);
/* `stack` is newest first, as perf stores it; `chain` begins with a marker (PERF_CONTEXT_USER), then goes from the inside out. */
void perf_file_sample(int pid, int tid, unsigned cpu, const struct branch *stack, unsigned depth, const uint64_t *chain,
	unsigned chain_length);
/* A sample without a stack, if the event is of that kind. */
void perf_file_address(int pid, int tid, unsigned cpu, uint64_t address, const uint64_t *chain, unsigned chain_length);
/* The time of another sample of the trace, in ticks of the CPU's timer. */
uint64_t perf_file_tick(void);
/* Part of a CPU's trace, which lies `offset` bytes behind the start of its buffer; a multiple of 8 bytes. */
void perf_file_trace(unsigned cpu, int pid, int tid, uint64_t offset, const uint8_t *bytes, size_t size);
uint64_t perf_file_samples(void);
/* Completes header and feature sections. False if anything could not be written. */
bool perf_file_close(void);

#endif
