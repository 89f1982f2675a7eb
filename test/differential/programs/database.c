/* Rows in a B-tree, and queries that are programs of a small machine, as a database engine has them. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_KEYS = 31, MOST_LEVELS = 8, LONGEST_ROW = 48, COLUMNS = 4 };

/* A node of the tree; those without children have rows. */
struct node {
  int count, is_leaf;
  int64_t keys[MOST_KEYS];
  union {
    struct node *children[MOST_KEYS + 1];
    unsigned char *rows[MOST_KEYS];
  };
};

struct cursor {
  int depth;
  struct node *nodes[MOST_LEVELS];
  int places[MOST_LEVELS];
};

static int64_t comparisons;

/* The first key that is not less. */
static int search(const struct node *node, int64_t key) {
  int low = 0, high = node->count;
  while (low < high) {
    int middle = (low + high) / 2;
    comparisons++;
    if (node->keys[middle] < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

static struct node *new_node(int is_leaf) {
  struct node *node = calloc(1, sizeof *node);
  node->is_leaf = is_leaf;
  return node;
}

/* Halves a full child. The key between the halves goes up; of leaves, it also stays in the left half. */
static void split(struct node *parent, int place) {
  struct node *left = parent->children[place], *right = new_node(left->is_leaf);
  int half = MOST_KEYS / 2, kept = left->is_leaf ? half + 1 : half;
  right->count = left->count - half - 1;
  memcpy(right->keys, left->keys + half + 1, (size_t)right->count * sizeof *right->keys);
  memcpy(right->children, left->children + half + 1, (size_t)(right->count + !left->is_leaf) * sizeof *right->children);
  left->count = kept;
  for (int i = parent->count; i > place; i--) {
    parent->keys[i] = parent->keys[i - 1];
    parent->children[i + 1] = parent->children[i];
  }
  parent->keys[place] = left->keys[half];
  parent->children[place + 1] = right;
  parent->count++;
}

static void insert(struct node **root, int64_t key, unsigned char *row) {
  if ((*root)->count == MOST_KEYS) {
    struct node *grown = new_node(0);
    grown->children[0] = *root;
    *root = grown;
    split(grown, 0);
  }
  struct node *node = *root;
  while (!node->is_leaf) {
    int place = search(node, key);
    if (node->children[place]->count == MOST_KEYS) {
      split(node, place);
      if (node->keys[place] < key) place++;
    }
    node = node->children[place];
  }
  int place = search(node, key);
  if (place < node->count && node->keys[place] == key) {
    free(node->rows[place]);
    node->rows[place] = row;
    return;
  }
  for (int i = node->count; i > place; i--) {
    node->keys[i] = node->keys[i - 1];
    node->rows[i] = node->rows[i - 1];
  }
  node->keys[place] = key;
  node->rows[place] = row;
  node->count++;
}

/* Goes on to the next row that there is. */
static int settle(struct cursor *c) {
  while (c->depth >= 0) {
    struct node *node = c->nodes[c->depth];
    int place = c->places[c->depth];
    if (place < node->count + !node->is_leaf) {
      if (node->is_leaf) return 1;
      c->depth++;
      c->nodes[c->depth] = node->children[place];
      c->places[c->depth] = 0;
    } else if (--c->depth >= 0) {
      c->places[c->depth]++;
    }
  }
  return 0;
}

static int seek(struct cursor *c, struct node *root, int64_t key) {
  c->depth = 0;
  c->nodes[0] = root;
  while (!(c->places[c->depth] = search(c->nodes[c->depth], key), c->nodes[c->depth]->is_leaf)) {
    c->nodes[c->depth + 1] = c->nodes[c->depth]->children[c->places[c->depth]];
    c->depth++;
  }
  return settle(c);
}

static int next(struct cursor *c) {
  c->places[c->depth]++;
  return settle(c);
}

/* Seven bits a byte, the last byte has the eighth bit clear. */
static unsigned char *put(unsigned char *at, uint64_t value) {
  for (; value > 127; value >>= 7) *at++ = (unsigned char)(value | 128);
  *at++ = (unsigned char)value;
  return at;
}

static int64_t column(const unsigned char *at, int number) {
  uint64_t value = 0;
  for (; number >= 0; number--) {
    int shift = 0;
    for (value = 0; *at & 128; shift += 7) value |= (uint64_t)(*at++ & 127) << shift;
    value |= (uint64_t)*at++ << shift;
  }
  return (int64_t)value;
}

enum op { SEEK, NEXT, KEY, COLUMN, INTEGER, COPY, ADD, SUBTRACT, MULTIPLY, REMAINDER, LESS, EQUAL, NOT, GOTO, SORT_IN, SORT, SORT_OUT, LARGEST, BITS, HALT };

struct instruction { enum op op; int a, b, c; };

enum { REGISTERS = 16, MOST_SORTED = 4096 };
static int64_t sorted[MOST_SORTED], spare[MOST_SORTED];

static void merge_sort(int64_t *values, int64_t *other, int count) {
  if (count < 2) return;
  int half = count / 2;
  merge_sort(values, other, half);
  merge_sort(values + half, other, count - half);
  for (int i = 0, left = 0, right = half; i < count; i++)
    other[i] = left < half && (right == count || values[left] <= values[right]) ? values[left++] : values[right++];
  memcpy(values, other, (size_t)count * sizeof *values);
}

__attribute__((noinline)) static int64_t run(const struct instruction *program, struct node **tables, int64_t *r) {
  struct cursor cursors[2] = { 0 };
  int in = 0, out = 0;
  for (const struct instruction *at = program;; at++) {
    switch (at->op) {
    case SEEK: if (!seek(&cursors[at->a], tables[at->a], r[at->b])) at = program + at->c - 1; break;
    case NEXT: if (next(&cursors[at->a])) at = program + at->c - 1; break;
    case KEY: { struct cursor *c = &cursors[at->a]; r[at->b] = c->nodes[c->depth]->keys[c->places[c->depth]]; break; }
    case COLUMN: { struct cursor *c = &cursors[at->a]; r[at->b] = column(c->nodes[c->depth]->rows[c->places[c->depth]], at->c); break; }
    case INTEGER: r[at->a] = at->b; break;
    case COPY: r[at->a] = r[at->b]; break;
    case ADD: r[at->a] = r[at->b] + r[at->c]; break;
    case SUBTRACT: r[at->a] = r[at->b] - r[at->c]; break;
    case MULTIPLY: r[at->a] = r[at->b] * r[at->c] & 0xffffff; break;
    case REMAINDER: r[at->a] = r[at->c] ? r[at->b] % r[at->c] : 0; break;
    case LESS: if (r[at->a] < r[at->b]) at = program + at->c - 1; break;
    case EQUAL: if (r[at->a] == r[at->b]) at = program + at->c - 1; break;
    case NOT: r[at->a] = !r[at->b]; break;
    case GOTO: at = program + at->c - 1; break;
    case SORT_IN: if (in < MOST_SORTED) sorted[in++] = r[at->a]; break;
    case SORT: merge_sort(sorted, spare, in); out = 0; break;
    case SORT_OUT: if (out < in) { r[at->a] = sorted[out++]; at = program + at->c - 1; } break;
    case LARGEST: if (r[at->a] < r[at->b]) r[at->a] = r[at->b]; break;
    case BITS: { int64_t count = 0; for (uint64_t left = (uint64_t)r[at->b]; left; left &= left - 1) count++; r[at->a] = count; break; }
    case HALT: return r[0];
    }
  }
}

/* The sum of a column where another one is 3 or 5, and the largest third one. */
static const struct instruction scan[] = {
  { SEEK, 0, 5, 10 }, { COLUMN, 0, 1, 1 }, { EQUAL, 1, 6, 4 }, { EQUAL, 1, 7, 4 },
  { GOTO, 0, 0, 9 }, { COLUMN, 0, 2, 2 }, { ADD, 0, 0, 2 }, { COLUMN, 0, 3, 3 }, { LARGEST, 4, 3, 0 },
  { NEXT, 0, 0, 1 }, { ADD, 0, 0, 4 }, { HALT, 0, 0, 0 },
};

/* Rows of one table from a key on, each with the row of the other table that it names. */
static const struct instruction join[] = {
  { SEEK, 0, 5, 13 }, { KEY, 0, 1, 0 }, { LESS, 8, 1, 13 }, { COLUMN, 0, 2, 0 }, { SEEK, 1, 2, 12 },
  { KEY, 1, 3, 0 }, { SUBTRACT, 4, 3, 2 }, { NOT, 4, 4, 0 }, { EQUAL, 4, 9, 12 },
  { COLUMN, 1, 3, 1 }, { MULTIPLY, 3, 3, 2 }, { ADD, 0, 0, 3 }, { NEXT, 0, 0, 1 }, { HALT, 0, 0, 0 },
};

/* A column in order, and how often it changes. */
static const struct instruction order[] = {
  { SEEK, 0, 5, 6 }, { KEY, 0, 2, 0 }, { LESS, 8, 2, 6 }, { COLUMN, 0, 1, 2 }, { SORT_IN, 1, 0, 0 }, { NEXT, 0, 0, 1 },
  { SORT, 0, 0, 0 }, { SORT_OUT, 1, 0, 9 }, { HALT, 0, 0, 0 }, { EQUAL, 1, 2, 7 }, { COPY, 2, 1, 0 },
  { BITS, 3, 1, 0 }, { ADD, 0, 0, 3 }, { GOTO, 0, 0, 7 },
};

static uint64_t state = 1;

static unsigned random_below(unsigned limit) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (unsigned)(state >> 33) % limit;
}

int main(int argc, char **argv) {
  int queries = argc > 1 ? atoi(argv[1]) : 700;
  struct node *tables[2] = { new_node(1), new_node(1) };
  for (int i = 0; i < 30000; i++) {
    unsigned char row[LONGEST_ROW], *end = row;
    for (int number = 0; number < COLUMNS; number++) end = put(end, random_below(number ? 1u << 9 * number >> 6 : 20000));
    unsigned char *kept = malloc((size_t)(end - row));
    memcpy(kept, row, (size_t)(end - row));
    insert(&tables[i % 3 == 0], random_below(20000), kept);
  }
  int64_t sum = 0;
  for (int i = 0; i < queries; i++) {
    int64_t r[REGISTERS] = { 0 };
    r[6] = 3, r[7] = 5;
    if (i % 64 == 0) {
      sum += run(scan, tables, r);
      continue;
    }
    r[5] = random_below(20000), r[8] = r[5] + 500;
    sum += run(i % 3 ? join : order, tables, r);
  }
  printf("%lld %lld\n", (long long)sum, (long long)comparisons);
}
