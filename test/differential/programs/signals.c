#include <pthread.h>
#include <signal.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

static volatile sig_atomic_t caught;
static jmp_buf again;

__attribute__((noinline)) static unsigned mix(unsigned n) {
	unsigned sum = n;
	for (unsigned i = 0; i < 9; i++)
		sum = sum * 31 + (sum >> 3);
	return sum;
}

static void on_signal(int number) {
	(void)number;
	caught = (int)(caught + (mix(7) & 1) + 1);
}

__attribute__((noinline)) static unsigned descend(unsigned n) {
	if (n == 0) {
		raise(SIGUSR1);
		if (caught % 3 == 0)
			longjmp(again, 1);
		return mix(1);
	}
	return descend(n - 1) + mix(n);
}

static void *work(void *argument) {
	unsigned sum = 0, n = *(unsigned *)argument;
	for (unsigned i = 0; i < 3000; i++)
		sum += mix(i + n);
	*(unsigned *)argument = sum;
	return NULL;
}

static int compare(const void *a, const void *b) {
	unsigned one = mix(*(const unsigned *)a), other = mix(*(const unsigned *)b);
	return one < other ? -1 : one > other;
}

int main(void) {
	signal(SIGUSR1, on_signal);
	volatile unsigned sum = 0, round = 0;
	while (round < 60) {
		round++;
		if (setjmp(again) == 0)
			sum += descend(round % 20);
	}
	pthread_t threads[3];
	unsigned results[3] = { 1, 2, 3 }, numbers[300];
	for (int i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, work, &results[i]);
	for (int i = 0; i < 3; i++) {
		pthread_join(threads[i], NULL);
		sum += results[i];
	}
	for (unsigned i = 0; i < 300; i++)
		numbers[i] = i * 7919 % 1009;
	qsort(numbers, 300, sizeof *numbers, compare);
	printf("%u %u %d\n", sum, numbers[9], (int)caught);
}
