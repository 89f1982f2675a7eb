/* Run-length and distance coding of pseudo-random text, in two units. */
#include "codec.h"

#include <stdio.h>
#include <stdlib.h>

typedef void (*encoder)(const uint8_t *, size_t, struct buffer *);

static uint32_t state = 12345;

static uint32_t random_number(void)
{
	state = state * 1664525 + 1013904223;
	return state >> 16;
}

static void fill(uint8_t *text, size_t size)
{
	uint8_t letter = 'a';
	for (size_t i = 0; i < size; i++) {
		if (bit_length(random_number() & 63) > 4)
			letter = (uint8_t)('a' + random_number() % 26);
		text[i] = letter;
	}
}

int main(void)
{
	static const encoder encoders[] = { encode_runs, encode_distances };
	static uint8_t text[512];
	uint32_t sum = 0;
	for (int round = 0; round < 300; round++) {
		struct buffer out = { 0 };
		fill(text, sizeof text);
		encoders[round % 3 == 0](text, sizeof text, &out);
		sum = sum * 31 + checksum(&out);
		free(out.bytes);
	}
	printf("%08x\n", sum);
	return 0;
}
