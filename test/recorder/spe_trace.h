/*
 * Collects records of Arm's Statistical Profiling Extension, in one buffer for each CPU as the kernel does, and
 * writes the buffers to the file. Packets: Arm Architecture Reference Manual (DDI 0487), "Statistical Profiling
 * Extension Sample Record Specification".
 */
#ifndef SPE_TRACE_H
#define SPE_TRACE_H

#include <stdbool.h>
#include <stdint.h>

struct spe_branch {
	uint64_t pc, target;
	uint64_t previous_target; /* 0 if the CPU does not tell the target */
	bool taken, conditional, mispredicted;
};

void spe_sample(unsigned cpu, int pid, int tid, struct spe_branch branch);
/* Writes the rest of the buffers. */
void spe_flush(void);

#endif
