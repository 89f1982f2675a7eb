// An interpreter of tail calls, circles of tail calls, recursion that is inlined, functions that call each
// other. musttail interpreter, tail-call cycles, inlined recursion, mutual recursion over files
#include <cstdio>
#include <cstdlib>
using Op = unsigned (*)(const unsigned char *, unsigned *, unsigned);
extern const Op table[8];
#define NEXT [[clang::musttail]] return table[*pc & 7](pc, st, acc)

__attribute__((noinline)) static unsigned op_add(const unsigned char *pc, unsigned *st, unsigned acc) {
	acc += pc[1];
	pc += 2;
	NEXT;
}

__attribute__((noinline)) static unsigned op_mul(const unsigned char *pc, unsigned *st, unsigned acc) {
	acc = acc * 3 + 1;
	pc += 1;
	NEXT;
}

static unsigned helper(unsigned x) {
	unsigned s = 0;
	while (x > 3) {
		s += x & 1;
		x >>= 1;
	}
	return s;
}

__attribute__((noinline)) static unsigned op_call(const unsigned char *pc, unsigned *st, unsigned acc) {
	acc += helper(acc);
	st[0] += acc;
	pc += 1;
	NEXT;
}

__attribute__((noinline)) static unsigned op_jump(const unsigned char *pc, unsigned *st, unsigned acc) {
	if (st[1]++ % 50 != 0)
		pc -= pc[1];
	else
		pc += 2;
	NEXT;
}

__attribute__((noinline)) static unsigned op_stop(const unsigned char *, unsigned *st, unsigned acc) {
	return acc + st[0];
}

__attribute__((noinline)) static unsigned op_deep(const unsigned char *pc, unsigned *st, unsigned acc);

__attribute__((noinline)) static unsigned op_xor(const unsigned char *pc, unsigned *st, unsigned acc) {
	acc ^= acc >> 5;
	pc += 1;
	NEXT;
}

__attribute__((noinline)) static unsigned op_nop(const unsigned char *pc, unsigned *st, unsigned acc) {
	pc += 1;
	NEXT;
}

const Op table[8] = {op_stop, op_add, op_mul, op_call, op_jump, op_deep, op_xor, op_nop};

__attribute__((noinline)) static unsigned run(const unsigned char *code, unsigned seed) {
	unsigned st[2] = {0, 0};
	return table[code[0] & 7](code, st, seed) + 1;
}

static int depth;

__attribute__((noinline)) static unsigned op_deep(const unsigned char *pc, unsigned *st, unsigned acc) {
	static const unsigned char sub[] = {2, 3, 6, 1, 9, 3, 0};
	if (depth < 3) {
		depth++;
		acc += run(sub, acc);
		depth--;
	}
	pc += 1;
	NEXT;
}

// a cycle of tail calls
__attribute__((noinline)) unsigned c1(unsigned n, unsigned a);
__attribute__((noinline)) unsigned c2(unsigned n, unsigned a);
__attribute__((noinline)) unsigned c3(unsigned n, unsigned a);

__attribute__((noinline)) unsigned c1(unsigned n, unsigned a) {
	if (n == 0)
		return a;
	return n % 5 ? c2(n - 1, a + n) : c3(n - 1, a ^ n);
}

__attribute__((noinline)) unsigned c2(unsigned n, unsigned a) {
	if (n == 0)
		return a;
	return n % 3 ? c3(n - 1, a * 3) : c1(n - 1, a + 1);
}

__attribute__((noinline)) unsigned c3(unsigned n, unsigned a) {
	if (n == 0)
		return a + helper(a);
	return c1(n - 1, a + helper(a));
}

// inlined recursion
static inline __attribute__((always_inline)) unsigned half(unsigned n, unsigned d) {
	unsigned s = 0;
	for (unsigned i = 0; i < n % 5; i++)
		s += i ^ d;
	return s;
}

static unsigned fib(unsigned n) { return n < 2 ? half(n + 3, n) : fib(n - 1) + fib(n - 2) + half(n, 1); }

// diamond of tail calls: ambiguous
__attribute__((noinline)) unsigned bottom(unsigned n) {
	unsigned s = n;
	for (unsigned i = 0; i < 7; i++)
		s = s * 33 ^ i;
	return s;
}

__attribute__((noinline)) unsigned left(unsigned n) { return bottom(n + 1); }

__attribute__((noinline)) unsigned right(unsigned n) { return bottom(n * 2); }

__attribute__((noinline)) unsigned top(unsigned n) { return n & 1 ? left(n) : right(n); }

__attribute__((noinline)) unsigned single3(unsigned n) { return bottom(n + 9); }

__attribute__((noinline)) unsigned single2(unsigned n) { return single3(n ^ 5); }

__attribute__((noinline)) unsigned single1(unsigned n) { return single2(n + 2); }

struct Node {
	Node *l;
	Node *r;
	unsigned v;

	__attribute__((noinline)) unsigned sum() const { return v + (l ? l->sum() : 0) + (r ? r->sum() : 0); }

	template <class F> unsigned walk(F f) const {
		return f(v) + (l ? l->walk(f) : 0) + (r ? r->walk(f) : 0);
	}
};

static Node *make(unsigned d, unsigned s) {
	return d ? new Node{make(d - 1, s * 3 + 1), s % 4 ? make(d - 1, s * 5 + 2) : nullptr, s} : nullptr;
}

__attribute__((noinline)) static unsigned mutual_a(unsigned n);

__attribute__((noinline)) static unsigned mutual_b(unsigned n) {
	return n < 2 ? 1 : mutual_a(n - 1) + mutual_a(n - 2) + helper(n);
}

__attribute__((noinline)) static unsigned mutual_a(unsigned n) {
	return n < 3 ? 2 : mutual_b(n - 1) + (n % 3 ? mutual_b(n - 3) : 0) + 1;
}

int main(int argc, char **argv) {
	unsigned s = 0, rounds = argc > 1 ? atoi(argv[1]) : 20;
	static const unsigned char code[] = {1, 4, 2, 3, 5, 6, 7, 4, 5, 2, 0};
	for (unsigned i = 0; i < rounds; i++) {
		s += run(code, i) + c1(i, 3) + c2(i + 5, 1) + fib(i % 11) + mutual_a(i % 12);
		s += top(i) + top(i + 3) + single1(i) + left(i);
		Node *n = make(i % 6, i);
		if (n) {
			s += n->sum();
			unsigned k = 0;
			s += n->walk([&](unsigned v) {
				k += v % 3;
				return helper(v + k);
			});
		}
	}
	printf("%u\n", s);
}
