// A library that calls its caller back, itself and through the C library.
#include <stdlib.h>

__attribute__((noinline)) static unsigned inner(unsigned n, unsigned (*f)(unsigned)) {
	return n % 3 ? f(n) : f(n + 1) + 1;
}

unsigned exported(unsigned n) {
	unsigned s = 1;
	while (n > 1) {
		s = s * 7 + n;
		n /= 2;
	}
	return s;
}

static unsigned (*saved)(unsigned);

static int compare(const void *a, const void *b) {
	unsigned x = exported(*(const unsigned *)a), y = saved(*(const unsigned *)b);
	return x < y ? -1 : x > y;
}

unsigned calls_back(unsigned n, unsigned (*f)(unsigned)) {
	unsigned s = exported(n);
	for (unsigned i = 0; i < n % 5; i++)
		s += inner(i, f);
	unsigned v[9];
	saved = f;
	for (unsigned i = 0; i < 9; i++)
		v[i] = i * 31 % 7;
	qsort(v, 9, sizeof *v, compare);
	return s + v[2];
}
