// Calls through pointers, which -fsanitize=cfi-icall leads through a jump table.
#include <stdio.h>

__attribute__((noinline)) static unsigned alpha(unsigned x) {
  unsigned sum = 1;
  while (x != 1) {
    x = x & 1 ? 3 * x + 1 : x / 2;
    sum += x;
  }
  return sum;
}

__attribute__((noinline)) static unsigned beta(unsigned x) {
  unsigned sum = 7;
  while (x != 1) {
    x = x & 1 ? 3 * x + 1 : x / 2;
    sum ^= x;
  }
  return sum;
}

unsigned (*volatile functions[2])(unsigned) = {alpha, beta};

int main(void) {
  unsigned total = 0;
  for (unsigned i = 1; i < 3000; i++)
    total += functions[i & 1](i);
  printf("%u\n", total);
}
