/* Drives the hand-written functions of classes.S. */
#include <stdint.h>
#include <stdio.h>

uint64_t class_loop(uint64_t n);
uint64_t class_jrcxz(uint64_t n);
uint64_t class_table(uint64_t n);
uint64_t class_strings(uint64_t n, void *buffer);
uint64_t class_data(uint64_t n);
uint64_t class_trampoline(uint64_t n);

int main(void)
{
	static uint8_t buffer[128];
	uint64_t sum = 0;
	for (uint64_t n = 1; n < 2000; n++) {
		sum += class_loop(n % 17 + 1) + class_jrcxz(n % 13) + class_table(n % 4);
		sum += class_strings(n % 100, buffer) + class_data(n) + class_trampoline(n);
	}
	printf("%llu\n", (unsigned long long)sum);
	return 0;
}
