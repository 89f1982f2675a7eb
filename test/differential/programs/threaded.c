/* Threaded code: each instruction of a small machine jumps to the next one itself (computed goto). */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum op { LITERAL, LOAD, STORE, ADD, SUBTRACT, MULTIPLY, SHIFT, AND, XOR, LESS, EQUAL, BRANCH_IF_ZERO, BRANCH, PEEK, POKE, CALL, RETURN, DUPLICATE, DROP, HALT };

enum { CELLS = 4096 };
static int32_t memory[CELLS];

__attribute__((noinline)) static int64_t run(const int32_t *program, int32_t argument) {
  static const void *const code[] = {
    &&literal, &&load, &&store, &&add, &&subtract, &&multiply, &&shift, &&and, &&xor, &&less, &&equal,
    &&branch_if_zero, &&branch, &&peek, &&poke, &&call, &&return_, &&duplicate, &&drop, &&halt,
  };
  int32_t stack[64], variables[8] = { argument }, *top = stack;
  const int32_t *returns[64], **last = returns, *at = program;
#define NEXT goto *code[*at++]
  NEXT;
literal: *++top = *at++; NEXT;
load: *++top = variables[*at++]; NEXT;
store: variables[*at++] = *top--; NEXT;
add: top--; *top += top[1]; NEXT;
subtract: top--; *top -= top[1]; NEXT;
multiply: top--; *top = (int32_t)((uint32_t)*top * (uint32_t)top[1]); NEXT;
shift: top--; *top = (int32_t)((uint32_t)*top >> (top[1] & 31)); NEXT;
and: top--; *top &= top[1]; NEXT;
xor: top--; *top ^= top[1]; NEXT;
less: top--; *top = *top < top[1]; NEXT;
equal: top--; *top = *top == top[1]; NEXT;
branch_if_zero: at++; if (*top-- == 0) at = program + at[-1]; NEXT;
branch: at = program + *at; NEXT;
peek: *top = memory[*top & (CELLS - 1)]; NEXT;
poke: memory[*top & (CELLS - 1)] = top[-1]; top--; NEXT;
call: *last++ = at + 1; at = program + *at; NEXT;
return_: at = *--last; NEXT;
duplicate: top[1] = *top; top++; NEXT;
drop: top--; NEXT;
halt: return variables[1];
}

/* The program of the machine, which is put together at the start. */
static int32_t program[256];
static int length;

static void put(enum op op) { program[length++] = op; }

/* Where the operand is. */
static int put_with(enum op op, int32_t operand) {
  put(op);
  program[length] = operand;
  return length++;
}

/* The branch with this operand goes to what is put next. */
static void land(int operand) { program[operand] = length; }

/* Adds up how many steps the numbers up to the argument take to 1 (Collatz), and notes them in memory. */
static void assemble(void) {
  enum { NUMBER, SUM, VALUE, STEPS };
  int outer = length;
  put_with(LOAD, NUMBER);
  int end = put_with(BRANCH_IF_ZERO, 0);
  put_with(LOAD, NUMBER), put_with(STORE, VALUE), put_with(LITERAL, 0), put_with(STORE, STEPS);
  int inner = length;
  put_with(LOAD, VALUE), put_with(LITERAL, 1), put(EQUAL), put_with(LITERAL, 0), put(EQUAL);
  int found = put_with(BRANCH_IF_ZERO, 0);
  int next = put_with(CALL, 0);
  put_with(LOAD, STEPS), put_with(LITERAL, 1), put(ADD), put(DUPLICATE), put_with(STORE, STEPS);
  put_with(LITERAL, 300), put(LESS);
  int long_way = put_with(BRANCH_IF_ZERO, 0);
  put_with(BRANCH, inner);
  land(found), land(long_way);
  put_with(LOAD, SUM), put_with(LOAD, STEPS), put(ADD), put_with(STORE, SUM);
  put_with(LOAD, NUMBER), put_with(LITERAL, 1), put(SUBTRACT), put_with(STORE, NUMBER), put_with(BRANCH, outer);
  land(end);
  put(HALT);
  land(next);
  put_with(LOAD, VALUE), put_with(LITERAL, 1), put(AND);
  int even = put_with(BRANCH_IF_ZERO, 0);
  put_with(LOAD, VALUE), put_with(LITERAL, 3), put(MULTIPLY), put_with(LITERAL, 1), put(ADD);
  int done = put_with(BRANCH, 0);
  land(even);
  put_with(LOAD, VALUE), put_with(LITERAL, 1), put(SHIFT);
  land(done);
  put(DUPLICATE), put_with(LOAD, VALUE), put(PEEK), put(XOR), put_with(LOAD, VALUE), put(POKE), put(DROP);
  put_with(STORE, VALUE), put(RETURN);
}

int main(int argc, char **argv) {
  assemble();
  int64_t sum = run(program, argc > 1 ? atoi(argv[1]) : 2500);
  printf("%lld %d\n", (long long)sum, memory[1]);
}
