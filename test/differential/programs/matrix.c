/* A shared library. The profile is made for the library, not for the program that calls it. */
#include "matrix.h"

static void multiply_rows(const double *a, const double *b, double *out, int n, int row)
{
	for (int column = 0; column < n; column++) {
		double sum = 0;
		for (int k = 0; k < n; k++)
			sum += a[row * n + k] * b[k * n + column];
		out[row * n + column] = sum;
	}
}

void matrix_multiply(const double *a, const double *b, double *out, int n)
{
	for (int row = 0; row < n; row++)
		multiply_rows(a, b, out, n, row);
}

double matrix_reduce(const double *m, int n, matrix_reducer reduce)
{
	double result = m[0];
	for (int i = 1; i < n * n; i++)
		result = reduce(result, m[i]); /* calls back into the program */
	return result;
}
