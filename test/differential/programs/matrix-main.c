#include "matrix.h"

#include <stdio.h>

enum { N = 12 };

static double larger(double a, double b)
{
	return a > b ? a : b;
}

int main(void)
{
	static double a[N * N], b[N * N], c[N * N];
	double sum = 0;
	for (int i = 0; i < N * N; i++)
		a[i] = i % 7, b[i] = i % 5;
	for (int round = 0; round < 60; round++) {
		a[round] += 1;
		matrix_multiply(a, b, c, N);
		sum += matrix_reduce(c, N, larger);
	}
	printf("%g\n", sum);
	return 0;
}
