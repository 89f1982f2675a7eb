/* A static function named `step`, like one in the other file, and calls into the other file, which calls back. */
#include <stdlib.h>
#include "same-names.h"

static __attribute__((noinline)) unsigned step(unsigned x) { return x & 1 ? x * 3 + 1 : x / 2; }

static __attribute__((noinline)) int compare(const void *a, const void *b) {
  unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;
  return x < y ? -1 : x > y;
}

unsigned first(unsigned x) {
  unsigned count = 0, values[16];
  for (unsigned i = 0; i < 16; i++) values[i] = (x + i) * 2654435761u;
  qsort(values, 16, sizeof *values, compare);
  while (x > 1) x = step(x), count++;
  return count + values[3] % 7;
}
