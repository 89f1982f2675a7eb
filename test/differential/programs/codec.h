#ifndef CODEC_H
#define CODEC_H

#include <stddef.h>
#include <stdint.h>

struct buffer {
	uint8_t *bytes;
	size_t size, capacity;
};

void buffer_push(struct buffer *buffer, uint8_t byte);
void encode_runs(const uint8_t *in, size_t size, struct buffer *out);
void encode_distances(const uint8_t *in, size_t size, struct buffer *out);
uint32_t checksum(const struct buffer *buffer);

/* A function in a header: every unit inlines it from a file that is not the unit's own. */
static inline unsigned bit_length(uint32_t n)
{
	unsigned length = 0;
	for (; n; n >>= 1)
		length++;
	return length;
}

#endif
