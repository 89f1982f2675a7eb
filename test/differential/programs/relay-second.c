#include "relay.h"

#include <stdlib.h>

unsigned second_mix(unsigned value, step visit) {
  unsigned mixed = value;
  for (unsigned bit = 1; bit != 0 && bit <= value; bit <<= 3) mixed ^= mixed >> 7 ^ bit;
  return mixed % 11 == 0 ? visit(mixed) : mixed;
}

static int ascending(const void *a, const void *b) {
  unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;
  return (x > y) - (x < y);
}

/* The C library calls back into this one. */
void second_sort(unsigned *values, int count) {
  qsort(values, (size_t)count, sizeof *values, ascending);
}
