#include "spe_trace.h"
#include "perf_file.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_CPUS = 256, RECORD = 64 };

/*
 * Size of a piece of the trace. Pieces end inside of records, as they may if perf empties a buffer while the CPU
 * fills it.
 */
enum { PIECE = 16384 + 24 };

static struct buffer {
	uint8_t bytes[PIECE + RECORD];
	unsigned filled;
	uint64_t written; /* number of bytes of this buffer that are in the file */
	int pid, tid;
} *buffers[MAX_CPUS];

static uint8_t *put_number(uint8_t *at, uint64_t value, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		*at++ = (uint8_t)(value >> 8 * i);
	return at;
}

static uint8_t *put_address(uint8_t *at, unsigned index, uint64_t address)
{
	const uint64_t not_secure = 1ull << 63, address_bits = (1ull << 56) - 1;
	*at++ = (uint8_t)(0xb0 | index);
	return put_number(at, (address & address_bits) | not_secure, 8); /* exception level 0 */
}

static void write_piece(unsigned cpu, struct buffer *b, unsigned size)
{
	perf_file_trace(cpu, b->pid, b->tid, b->written, b->bytes, size);
	b->written += size;
	b->filled -= size;
	memmove(b->bytes, b->bytes + size, b->filled);
}

void spe_sample(unsigned cpu, int pid, int tid, struct spe_branch branch)
{
	enum { RETIRED = 1 << 1, NOT_TAKEN = 1 << 6, MISPREDICTED = 1 << 7 };
	struct buffer *b = buffers[cpu % MAX_CPUS];
	if (!b)
		b = buffers[cpu % MAX_CPUS] = calloc(1, sizeof *b);
	b->pid = pid;
	b->tid = tid;
	uint8_t *start = b->bytes + b->filled, *at = start;
	at = put_address(at, 0, branch.pc);
	*at++ = 0x64;
	at = put_number(at, (uint32_t)tid, 4);
	*at++ = 0x4a;
	*at++ = branch.conditional;
	*at++ = 0x52;
	at = put_number(at, RETIRED | (branch.taken ? 0 : NOT_TAKEN) | (branch.mispredicted ? MISPREDICTED : 0), 2);
	*at++ = 0x99; /* issue latency */
	at = put_number(at, 1, 2);
	*at++ = 0x98; /* total latency */
	at = put_number(at, 2, 2);
	at = put_address(at, 1, branch.target);
	if (branch.previous_target)
		at = put_address(at, 4, branch.previous_target);
	while (at < start + RECORD - 9)
		*at++ = 0;
	*at++ = 0x71;
	put_number(at, perf_file_tick(), 8);
	b->filled += RECORD;
	if (b->filled >= PIECE)
		write_piece(cpu, b, PIECE);
}

void spe_flush(void)
{
	for (unsigned cpu = 0; cpu < MAX_CPUS; cpu++)
		if (buffers[cpu])
			write_piece(cpu, buffers[cpu], buffers[cpu]->filled);
}
