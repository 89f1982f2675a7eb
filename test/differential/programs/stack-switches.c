// Code that leaves and switches stacks: longjmp, coroutines, signals on a stack of their own, threads, calls
// back from libraries, assembly without frames, a function that the dynamic linker chooses.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
static jmp_buf jb;
static sigjmp_buf sjb;

__attribute__((noinline)) static unsigned mix(unsigned n) {
	unsigned s = n;
	for (unsigned i = 0; i < n % 9 + 2; i++)
		s = s * 31 + (s >> 3);
	return s;
}

__attribute__((noinline)) static unsigned deep(unsigned n) {
	if (n == 0)
		longjmp(jb, 1);
	return deep(n - 1) + mix(n);
}

__attribute__((noinline)) static unsigned jumps(unsigned n) {
	volatile unsigned s = 0;
	if (setjmp(jb) == 0)
		s = deep(n % 17);
	else
		s += mix(n);
	return s;
}

static ucontext_t mainc, co[3];
static char stacks[3][65536];
static unsigned shared;

__attribute__((noinline)) static void yield_to(int from, int to) {
	shared += mix(from + to);
	swapcontext(&co[from], to < 0 ? &mainc : &co[to]);
}

__attribute__((noinline)) static void leafwork(int me, unsigned k) {
	shared += mix(k + me);
	if (k % 2)
		yield_to(me, (me + 1) % 3);
}

static void body(int me) {
	for (unsigned k = 0;; k++) {
		leafwork(me, k);
		if (k % 7 == 6)
			yield_to(me, -1);
	}
}

static void on_sig(int sig, siginfo_t *i, void *c) {
	(void)sig;
	(void)i;
	(void)c;
	shared += mix(5);
	if (shared % 4 == 0)
		siglongjmp(sjb, 1);
}

__attribute__((noinline)) static unsigned raiser(unsigned n) {
	if (n % 4 == 0)
		raise(SIGUSR1);
	return mix(n);
}

__attribute__((noinline)) static unsigned sigs(unsigned n) {
	volatile unsigned r = 0;
	if (sigsetjmp(sjb, 1) == 0)
		r = raiser(n) + raiser(n + 1);
	else
		r = mix(n + 2);
	return r;
}

static void *work(void *a) {
	unsigned s = 0, n = *(unsigned *)a;
	for (unsigned i = 0; i < 500; i++)
		s += i % 3 ? mix(i + n) : raiser(i * 4 + 1);
	*(unsigned *)a = s;
	return 0;
}

static unsigned impl_a(unsigned x) { return mix(x) + 1; }

static unsigned impl_b(unsigned x) { return mix(x) + 2; }
#ifdef __x86_64__
unsigned (*pick(void))(unsigned) { return impl_a; }

unsigned chosen(unsigned x) __attribute__((ifunc("pick")));

unsigned keep_b(void) { return impl_b(1); }
#else
unsigned chosen(unsigned x) { return impl_b(x) + impl_a(x); }
#endif
static int cmp(const void *a, const void *b) {
	unsigned x = mix(*(const unsigned *)a), y = mix(*(const unsigned *)b);
	return x < y ? -1 : x > y;
}

unsigned assembly_loop(unsigned n);
unsigned assembly_calls(unsigned n, unsigned (*f)(unsigned));
unsigned assembly_jumps(unsigned n);
unsigned assembly_hides(unsigned n, unsigned (*f)(unsigned));

unsigned callback(unsigned x) { return mix(x) ^ assembly_loop(x % 4); }

__attribute__((noinline)) static unsigned callee_alloca(unsigned n) {
	char *p = __builtin_alloca(n % 300 + 16);
	memset(p, (int)n, 16);
	return mix((unsigned)p[3] + n);
}

int main(int argc, char **argv) {
	unsigned s = 0, rounds = argc > 1 ? (unsigned)atoi(argv[1]) : 60;
	static char alt[65536];
	stack_t st = {.ss_sp = alt, .ss_size = sizeof alt};
	sigaltstack(&st, 0);
	struct sigaction sa = {0};
	sa.sa_sigaction = on_sig;
	sa.sa_flags = SA_ONSTACK | SA_SIGINFO;
	sigaction(SIGUSR1, &sa, 0);
	for (int i = 0; i < 3; i++) {
		getcontext(&co[i]);
		co[i].uc_stack.ss_sp = stacks[i];
		co[i].uc_stack.ss_size = sizeof stacks[i];
		co[i].uc_link = &mainc;
		makecontext(&co[i], (void (*)(void))body, 1, i);
	}
	void *lib = dlopen("./libcalls-back.so", RTLD_LAZY);
	unsigned (*calls_back)(unsigned, unsigned (*)(unsigned)) =
	    lib ? (unsigned (*)(unsigned, unsigned (*)(unsigned)))dlsym(lib, "calls_back") : 0;
	pthread_t t[4];
	unsigned res[4] = {1, 2, 3, 4};
	for (unsigned i = 0; i < rounds; i++) {
		s += assembly_calls(i % 7, callback) + assembly_hides(i % 5, callback) + assembly_jumps(i);
		s += jumps(i) + sigs(i) + chosen(i) + callee_alloca(i);
		swapcontext(&mainc, &co[i % 3]);
		if (calls_back)
			s += calls_back(i, callback);
		if (i == rounds / 2) {
			for (int k = 0; k < 4; k++)
				pthread_create(&t[k], 0, work, &res[k]);
			for (int k = 0; k < 4; k++)
				pthread_join(t[k], 0);
		}
		unsigned v[30];
		for (unsigned j = 0; j < 30; j++)
			v[j] = (j * 7919 + i) % 101;
		qsort(v, 30, sizeof *v, cmp);
		s += v[3];
	}
	printf("%u %u\n", s + shared, res[0]);
}
