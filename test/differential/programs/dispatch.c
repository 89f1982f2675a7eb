/* Handlers are called through a table, and one of them through another pointer. Most of the time is spent in the handlers. */
#include <stdint.h>
#include <stdio.h>

typedef uint64_t handler(uint64_t);

static uint64_t mix(uint64_t x) { return (x ^ x >> 31) * 0x9e3779b97f4a7c15u; }

__attribute__((noinline)) static uint64_t shifts(uint64_t x) {
  for (int i = 0; i < 5; i++) x ^= x << 13 ^ x >> 7;
  return x;
}

__attribute__((noinline)) static uint64_t digits(uint64_t x) {
  uint64_t sum = 0;
  for (; x; x /= 10) sum += x % 10;
  return mix(sum);
}

__attribute__((noinline)) static uint64_t bits(uint64_t x) {
  uint64_t count = 0;
  for (; x; x &= x - 1) count++;
  return mix(count);
}

__attribute__((noinline)) static uint64_t pairs(uint64_t x) {
  uint64_t sum = 0;
  for (int i = 0; i < 64; i += 2) sum += (x >> i & 3) == 2 ? 7 : x >> i & 3;
  return mix(sum ^ x);
}

static handler *const handlers[8] = { shifts, digits, shifts, bits, pairs, shifts, bits, shifts };
static handler *volatile fallback = pairs;

int main(void) {
  uint64_t x = 88172645463325252u, sum = 0;
  for (int i = 0; i < 400000; i++) {
    x = mix(x + (uint64_t)i);
    sum += handlers[x >> 61](x);
    if (x % 5 == 0) sum ^= fallback(sum);
  }
  printf("%llu\n", (unsigned long long)sum);
  return 0;
}
