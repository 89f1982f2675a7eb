/* Forms of `switch` that become tables. Tables of one function lie next to each other, so that one which is read too far runs into the next. */
#define DO(n) case n: __asm__ volatile("nop" : : "i"(n)); value += value * (n + 3); break;
#define FIVE(n) DO(n) DO(n + 1) DO(n + 2) DO(n + 3) DO(n + 4)

struct node {
  long before;
  int kind;
};

int sink(int value);

int plain(unsigned which, unsigned second, int value) {
  switch (which) { FIVE(0) FIVE(5) }
  value = sink(value);
  switch (second) { FIVE(20) FIVE(25) DO(30) DO(31) }
  return value;
}

int of_bytes(const unsigned char *at, int value) {
  for (;; at++) {
    switch (*at) { FIVE(0) FIVE(5) DO(10) case 11: return value; default: value++; }
    switch (at[1]) { FIVE(40) FIVE(45) DO(50) default: value += sink(value); }
  }
}

int in_memory(const struct node *node, int value) {
  switch (node->kind) { FIVE(0) FIVE(5) default: value = 1; }
  switch (node[1].kind) { FIVE(60) DO(65) DO(66) default: value++; }
  return sink(value);
}

int one_before(int which, int value) {
  if (which == 3) return sink(which);
  switch (which) { DO(0) DO(1) DO(2) FIVE(4) DO(9) }
  switch (value) { FIVE(70) FIVE(75) }
  return value;
}

int with_distance(long which, int value) {
  switch (which - 100) { FIVE(0) FIVE(5) FIVE(10) default: value = 2; }
  switch (which) { FIVE(80) FIVE(85) default: value--; }
  return value;
}

int masked(unsigned which, int value) {
  switch (which & 7) { FIVE(0) DO(5) DO(6) DO(7) }
  switch (value & 15) { FIVE(0) FIVE(5) FIVE(10) DO(15) }
  return value;
}

int with_holes(short which, int value) {
  switch (which) { FIVE(0) FIVE(7) FIVE(16) DO(25) default: value = sink(value); }
  switch (value) { FIVE(90) FIVE(97) default: value++; }
  return value;
}

int sink(int value) { __asm__ volatile("" : "+r"(value)); return value; }

void entry(void) {}
