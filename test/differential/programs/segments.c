/* Code in two executable segments, which far-code.ld places far apart. */
#include <stdio.h>

__attribute__((noinline, section("far_code"))) static unsigned collatz(unsigned n)
{
	unsigned steps = 0;
	for (; n != 1; steps++)
		n = n % 2 ? 3 * n + 1 : n / 2;
	return steps;
}

__attribute__((noinline)) static unsigned longest(unsigned limit)
{
	unsigned best = 1;
	for (unsigned n = 1; n < limit; n++)
		if (collatz(n) > collatz(best))
			best = n;
	return best;
}

int main(void)
{
	printf("%u\n", longest(3000));
	return 0;
}
