#include "relay.h"

static unsigned scramble(unsigned value, int rounds) {
  for (int round = 0; round < rounds; ++round) value = value & 1 ? value * 3 + 1 : value >> 1;
  return value;
}

unsigned first_fold(const unsigned *values, int count, step visit) {
  unsigned sum = 0;
  for (int i = 0; i < count; ++i) {
    sum += scramble(values[i], 5 + (int)(values[i] % 7));
    if (values[i] % 3 == 0) sum ^= visit(sum);
    if (values[i] % 5 == 0) sum += second_mix(sum, visit);
  }
  return sum;
}
