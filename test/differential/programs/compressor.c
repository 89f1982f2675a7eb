/* Text of words, of which some are frequent: zstd compresses it at three levels, and unpacks it. */
#include "zstd.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(void) {
  enum { SIZE = 150000 };
  char *text = malloc(SIZE), *back = malloc(SIZE);
  static const char *const words[] = {
    "branch", "stack", "sample", "profile ", "a ", "of the ", "0x", "7f", "count: ", "\n", "symbol", "_", "line ", "in ", ", ",
  };
  unsigned long long state = 1;
  size_t at = 0;
  while (at + 16 < SIZE) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    unsigned pick = (unsigned)(state >> 33);
    if (pick % 5 == 0) {
      text[at++] = (char)('a' + pick / 5 % 26);
      continue;
    }
    const char *word = words[pick / 5 % 15 * (pick / 80 % 3) / 2];
    memcpy(text + at, word, strlen(word));
    at += strlen(word);
  }
  size_t room = ZSTD_compressBound(at), sum = 0;
  char *packed = malloc(room);
  for (int level = 1; level <= 5; level += 2) {
    size_t size = ZSTD_compress(packed, room, text, at, level);
    if (ZSTD_isError(size) || ZSTD_decompress(back, SIZE, packed, size) != at || memcmp(back, text, at)) return 1;
    sum += size;
  }
  printf("%zu\n", sum);
}
