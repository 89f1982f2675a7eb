#include "relay.h"

#include <stdio.h>

#define COUNT 4096

static unsigned state = 1;

static unsigned next(void) {
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state;
}

static unsigned visit(unsigned value) {
  unsigned bits = 0;
  for (; value != 0; value &= value - 1) ++bits;
  return bits;
}

int main(void) {
  static unsigned values[COUNT];
  unsigned sum = 0;
  for (int round = 0; round < 60; ++round) {
    for (int i = 0; i < COUNT; ++i) values[i] = next();
    if (round % 10 == 0) second_sort(values, COUNT);
    sum += first_fold(values, COUNT, visit);
  }
  printf("%u\n", sum);
  return 0;
}
