/*
 * Counts the executions of every straight-line range and every branch of one image. These are the true counts with
 * which a sampled profile is compared. They are written in llvm-profgen's unsymbolized form, with addresses as in
 * the ELF file (read it with --use-offset=0). Contexts are only for programs with one thread.
 */
#ifndef EXACT_COUNTS_H
#define EXACT_COUNTS_H

#include "perf_file.h"

/*
 * Counts a branch, and the straight-line range before it, in a context. `run_start` is the start of the thread's
 * range, 0 at first. The function sets it to the start of the next range, the target of the branch.
 */
void exact_count(struct branch taken, unsigned context, uint64_t *run_start);
/* Returns the context of an address's callee in a context. The context 0 has no callers. */
unsigned exact_context(unsigned outer, uint64_t call);
/*
 * Writes the counts. `text` is the image's executable mapping, `bias` its run-time address minus the ELF address.
 * With `by_context` each count follows its calls, as addresses from the outermost call inwards.
 */
bool exact_write(const char *path, uint64_t text_start, uint64_t text_end, uint64_t bias, bool by_context);

#endif
