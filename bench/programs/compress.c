/* Compresses and decompresses text of its own with the zstd library, at all levels in turn: a load with hundreds of functions.
 *   compress ROUNDS */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

enum { TEXT_SIZE = 1 << 19, WORDS = 4096 };

static uint64_t state = 1;

static uint32_t random_below(uint32_t limit) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)((state >> 33) % limit);
}

/* Words of a made-up language; small numbers are more frequent than large ones, as in texts. */
static void write_text(char *text, size_t size) {
  static char words[WORDS][12];
  for (int word = 0; word < WORDS; word++) {
    int length = 1 + (int)random_below(10);
    for (int at = 0; at < length; at++) words[word][at] = (char)('a' + random_below(26));
    words[word][length] = '\0';
  }
  size_t at = 0;
  while (at + 16 < size) {
    const char *word = words[random_below(1 + random_below(WORDS))];
    size_t length = strlen(word);
    memcpy(text + at, word, length);
    at += length;
    text[at++] = random_below(12) ? ' ' : '\n';
  }
  memset(text + at, ' ', size - at);
}

int main(int argc, char **argv) {
  int rounds = argc > 1 ? atoi(argv[1]) : 1;
  size_t bound = ZSTD_compressBound(TEXT_SIZE);
  char *text = malloc(TEXT_SIZE), *packed = malloc(bound), *unpacked = malloc(TEXT_SIZE);
  if (!text || !packed || !unpacked) return 1;
  size_t sum = 0;
  for (int round = 0; round < rounds; round++) {
    write_text(text, TEXT_SIZE);
    size_t size = ZSTD_compress(packed, bound, text, TEXT_SIZE, 1 + round % 19);
    if (ZSTD_isError(size)) return 1;
    for (int times = 0; times < 4; times++)
      if (ZSTD_decompress(unpacked, TEXT_SIZE, packed, size) != TEXT_SIZE) return 1;
    if (memcmp(text, unpacked, TEXT_SIZE)) return 1;
    sum += size;
  }
  printf("%d rounds: %zu bytes\n", rounds, sum);
  return 0;
}
