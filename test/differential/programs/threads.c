/* Four threads that count primes: a recording with several thread ids. */
#include <pthread.h>
#include <stdio.h>

enum { THREADS = 4, LIMIT = 6000 };

static int is_prime(unsigned n)
{
	for (unsigned d = 2; d * d <= n; d++)
		if (n % d == 0)
			return 0;
	return n > 1;
}

static void *count_primes(void *first)
{
	unsigned long count = 0;
	for (unsigned n = (unsigned)(size_t)first; n < LIMIT; n += THREADS)
		count += (unsigned long)is_prime(n);
	return (void *)count;
}

int main(void)
{
	pthread_t threads[THREADS];
	unsigned long total = 0;
	for (size_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, count_primes, (void *)i);
	for (size_t i = 0; i < THREADS; i++) {
		void *count;
		pthread_join(threads[i], &count);
		total += (unsigned long)count;
	}
	printf("%lu\n", total);
	return 0;
}
