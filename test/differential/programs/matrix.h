typedef double (*matrix_reducer)(double, double);
void matrix_multiply(const double *a, const double *b, double *out, int n);
double matrix_reduce(const double *m, int n, matrix_reducer reduce);
