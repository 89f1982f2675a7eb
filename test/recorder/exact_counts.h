/*
 * How often every straight run and every branch of one image was executed: the truth to
 * hold a sampled profile against, written in llvm-profgen's unsymbolized form with
 * addresses as in the ELF (read it with --use-offset=0). For programs of one thread.
 */
#ifndef EXACT_COUNTS_H
#define EXACT_COUNTS_H

#include "perf_file.h"

void exact_count(struct branch taken);
/* `text` is the image's executable mapping, `bias` its run-time address minus the ELF's. */
bool exact_write(const char *path, uint64_t text_start, uint64_t text_end, uint64_t bias);

#endif
