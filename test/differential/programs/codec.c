#include "codec.h"

#include <stdlib.h>

void buffer_push(struct buffer *b, uint8_t byte)
{
	if (b->size == b->capacity) {
		b->capacity = b->capacity ? b->capacity * 2 : 64;
		b->bytes = realloc(b->bytes, b->capacity);
		if (!b->bytes)
			abort();
	}
	b->bytes[b->size++] = byte;
}

static size_t run_length(const uint8_t *in, size_t size)
{
	size_t n = 1;
	while (n < size && n < 255 && in[n] == in[0])
		n++;
	return n;
}

void encode_runs(const uint8_t *in, size_t size, struct buffer *out)
{
	for (size_t i = 0; i < size;) {
		size_t n = run_length(in + i, size - i);
		buffer_push(out, (uint8_t)n);
		buffer_push(out, in[i]);
		i += n;
	}
}

void encode_distances(const uint8_t *in, size_t size, struct buffer *out)
{
	for (size_t i = 1; i < size; i++) {
		int distance = in[i] - in[i - 1];
		if (bit_length((uint32_t)abs(distance)) > 4)
			buffer_push(out, 0x80);
		buffer_push(out, (uint8_t)distance);
	}
}

uint32_t checksum(const struct buffer *b)
{
	uint32_t low = 1, high = 0;
	for (size_t i = 0; i < b->size; i++) {
		low = (low + b->bytes[i]) % 65521;
		high = (high + low) % 65521;
	}
	return high << 16 | low;
}
