#include "probes.h"

// A function with the same name as in the other file, and with other code.
static std::uint32_t helper(std::uint32_t value) {
  std::uint32_t bits = 0;
  while (value) {
    bits += value & 1;
    value >>= 1;
  }
  return bits;
}

std::uint32_t other_helper(std::uint32_t value) {
  std::uint32_t sum = 0;
  for (std::uint32_t i = 0; i < 6; i++)
    sum += helper(value + i);
  return sum;
}

std::uint32_t rotate(std::uint32_t value) { return other_helper(value) == 3 ? value : (value << 5) | (value >> 27); }
