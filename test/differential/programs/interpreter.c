/* A machine with a stack runs a program of its own: one large switch, as in interpreters and database engines. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum op { PUSH, ADD, SUB, MUL, DIV, MOD, DUP, SWAP, DROP, LOAD, STORE, JUMP, JUMP_IF, LESS, HASH, PROBE, SORT, CALL, RETURN, STOP };

struct code { enum op op; int64_t value; };

enum { SLOTS = 1 << 10, ROWS = 400 };
static int64_t table[SLOTS], rows[ROWS];

static int compare(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

__attribute__((noinline)) static uint64_t hash(uint64_t value) {
  for (int round = 0; round < 3; round++) value = (value ^ value >> 29) * 0x9e3779b97f4a7c15u;
  return value;
}

__attribute__((noinline)) static int64_t probe(int64_t key) {
  uint64_t at = hash((uint64_t)key) % SLOTS;
  for (int steps = 0; steps < 8; steps++, at = (at + 1) % SLOTS) {
    if (table[at] == key) return steps;
    if (table[at] == 0) {
      table[at] = key;
      return -1;
    }
  }
  table[at] = key;
  return 8;
}

__attribute__((noinline)) static int64_t sort_rows(int64_t seed) {
  for (int row = 0; row < ROWS; row++) rows[row] = (int64_t)(hash((uint64_t)(seed + row)) % 1000);
  qsort(rows, ROWS, sizeof *rows, compare);
  return rows[ROWS / 2];
}

__attribute__((noinline)) static int64_t run(const struct code *program) {
  int64_t stack[64] = { 0 }, variables[8] = { 0 }, returns[16] = { 0 };
  int top = 0, depth = 0;
  for (const struct code *at = program;; at++) {
    switch (at->op) {
    case PUSH: stack[++top] = at->value; break;
    case ADD: stack[top - 1] += stack[top]; top--; break;
    case SUB: stack[top - 1] -= stack[top]; top--; break;
    case MUL: stack[top - 1] = (int64_t)((uint64_t)stack[top - 1] * (uint64_t)stack[top]); top--; break;
    case DIV: stack[top - 1] /= stack[top] ? stack[top] : 1; top--; break;
    case MOD: stack[top - 1] %= stack[top] ? stack[top] : 1; top--; break;
    case DUP: stack[top + 1] = stack[top]; top++; break;
    case SWAP: { int64_t kept = stack[top]; stack[top] = stack[top - 1]; stack[top - 1] = kept; break; }
    case DROP: top--; break;
    case LOAD: stack[++top] = variables[at->value]; break;
    case STORE: variables[at->value] = stack[top--]; break;
    case JUMP: at = program + at->value - 1; break;
    case JUMP_IF: if (stack[top--]) at = program + at->value - 1; break;
    case LESS: stack[top - 1] = stack[top - 1] < stack[top]; top--; break;
    case HASH: stack[top] = (int64_t)(hash((uint64_t)stack[top]) >> 40); break;
    case PROBE: stack[top] = probe(stack[top]); break;
    case SORT: stack[top] = sort_rows(stack[top]); break;
    case CALL: returns[depth++] = at - program; at = program + at->value - 1; break;
    case RETURN: at = program + returns[--depth]; break;
    case STOP: return variables[1];
    }
  }
}

int main(int argc, char **argv) {
  int64_t times = argc > 1 ? atoi(argv[1]) : 60000;
  /* for (i = 0; i < times; i++) { sum += f(i); if (i % 700 == 0) sum += sort(i); } with f at 31 */
  const struct code program[] = {
    { PUSH, 0 }, { STORE, 0 }, { LOAD, 0 }, { PUSH, times }, { LESS, 0 }, { JUMP_IF, 7 }, { STOP, 0 },
    { LOAD, 0 }, { CALL, 31 }, { LOAD, 1 }, { ADD, 0 }, { STORE, 1 },
    { LOAD, 0 }, { PUSH, 700 }, { MOD, 0 }, { JUMP_IF, 21 },
    { LOAD, 0 }, { SORT, 0 }, { LOAD, 1 }, { ADD, 0 }, { STORE, 1 },
    { LOAD, 0 }, { PUSH, 1 }, { ADD, 0 }, { STORE, 0 }, { JUMP, 2 },
    { STOP, 0 }, { STOP, 0 }, { STOP, 0 }, { STOP, 0 }, { STOP, 0 },
    { DUP, 0 }, { PUSH, 3 }, { MOD, 0 }, { JUMP_IF, 40 },
    { HASH, 0 }, { PUSH, 500 }, { MOD, 0 }, { PROBE, 0 }, { RETURN, 0 },
    { DUP, 0 }, { MUL, 0 }, { PUSH, 17 }, { SWAP, 0 }, { PUSH, 13 }, { DIV, 0 }, { SUB, 0 }, { RETURN, 0 },
  };
  printf("%lld\n", (long long)run(program));
  return 0;
}
