/*
 * Records of Arm's Statistical Profiling Extension, in one buffer a CPU as the kernel keeps them, and from there to the file.
 * Packets: Arm Architecture Reference Manual (DDI 0487), "Statistical Profiling Extension Sample Record Specification".
 */
#ifndef SPE_TRACE_H
#define SPE_TRACE_H

#include <stdbool.h>
#include <stdint.h>

struct spe_branch {
	uint64_t pc, target;
	uint64_t previous_target; /* 0: the CPU does not say */
	bool taken, conditional, mispredicted;
};

void spe_sample(unsigned cpu, int pid, int tid, struct spe_branch branch);
/* Writes what is still in the buffers. */
void spe_flush(void);

#endif
