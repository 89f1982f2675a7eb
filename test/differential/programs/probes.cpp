// Code in which pseudo probes move: inlining of inlined code, loops that are unrolled and duplicated, tail calls, recursion,
// calls through pointers, exceptions, static functions of one name, code that is never run.
#include <array>
#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <vector>

#include "probes.h"

namespace {

template <int Depth>
inline std::uint32_t fold(std::uint32_t value) {
  if (value & 1)
    return fold<Depth - 1>(value * 3 + 1);
  return fold<Depth - 1>(value / 2) ^ Depth;
}

template <>
inline std::uint32_t fold<0>(std::uint32_t value) {
  return value;
}

std::uint32_t helper(std::uint32_t value) {
  for (int i = 0; i < 8; i++)
    value = value % 5 == 0 ? value / 5 + 77 : value * 7;
  return value;
}

__attribute__((noinline)) std::uint32_t checked(std::uint32_t value) {
  if (value % 97 == 0)
    throw std::range_error("a multiple of 97");
  return helper(value) + 1;
}

__attribute__((noinline)) std::uint32_t gcd(std::uint32_t a, std::uint32_t b) { return b == 0 ? a : gcd(b, a % b); }

__attribute__((noinline)) std::uint32_t choose(std::uint32_t value) {
  switch (value % 7) {
  case 0: return other_helper(value);
  case 1: return fold<3>(value);
  case 2: return gcd(value, 1024);
  case 3: return value << 3;
  case 4: return value ^ 0x55;
  case 5: return helper(value);
  default: return value - 1;
  }
}

using Step = std::uint32_t (*)(std::uint32_t);
std::array<Step, 4> steps = {choose, fold<5>, other_helper, rotate};

} // namespace

int main(int argc, char **argv) {
  std::uint32_t rounds = argc > 1 ? 20000 : 4000, sum = 0, caught = 0;
  std::vector<std::uint32_t> values(512);
  for (std::uint32_t i = 0; i < values.size(); i++)
    values[i] = i * 2654435761u;
  for (std::uint32_t round = 0; round < rounds; round++) {
    std::uint32_t &value = values[round % values.size()];
    try {
      value = checked(steps[(value >> 3) % steps.size()](value));
    } catch (const std::range_error &) {
      caught++;
      value = round;
    }
    sum += value;
    if (round == 0xffffffff)
      std::puts(argv[0]);
  }
  std::printf("%u %u\n", sum, caught);
  return 0;
}
