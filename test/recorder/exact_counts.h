/*
 * How often every straight run and every branch of one image was executed: the truth to
 * hold a sampled profile against, written in llvm-profgen's unsymbolized form with
 * addresses as in the ELF (read it with --use-offset=0). Contexts are of programs of one thread.
 */
#ifndef EXACT_COUNTS_H
#define EXACT_COUNTS_H

#include "perf_file.h"

/* Counts a branch, and the run before it, in a context. `run_start` is where the thread's run began, 0 at first; its next one begins behind the branch. */
void exact_count(struct branch taken, unsigned context, uint64_t *run_start);
/* The context of what an address calls in a context; the context 0 has no callers. */
unsigned exact_context(unsigned outer, uint64_t call);
/*
 * `text` is the image's executable mapping, `bias` its run-time address minus the ELF's. With `by_context` counts have the calls that they were
 * behind in front, as addresses from the outermost inwards.
 */
bool exact_write(const char *path, uint64_t text_start, uint64_t text_end, uint64_t bias, bool by_context);

#endif
