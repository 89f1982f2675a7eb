/* The other function named `step`, and a recursive function. */
#include <stdio.h>
#include "same-names.h"

static __attribute__((noinline)) unsigned step(unsigned x) { return x % 3 ? x + 1 : x / 3; }

static __attribute__((noinline)) unsigned depth(unsigned x) { return x < 2 ? x : depth(x - 1) + depth(x - 2); }

unsigned second(unsigned x) {
  unsigned count = 0;
  while (x > 1) x = step(x), count++;
  return count + depth(x % 3 + 9);
}

int main(void) {
  unsigned sum = 0;
  for (unsigned i = 1; i < 6000; i++) sum += first(i) + second(i);
  printf("%u\n", sum);
  return 0;
}
