#include "exact_counts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* llvm-profgen's address for all places outside of the program. */
static const uint64_t outside = 1;

struct cell {
	uint64_t first, second, count;
	unsigned context;
};

/* A hash table with open addressing, at most half full. A cell with count 0 is free. */
struct table {
	struct cell *cells;
	size_t capacity, used;
};

static struct table runs, branches;

/* A chain of calls in progress: each context is a call after another context. Context 0 has no call. */
struct context {
	unsigned outer;
	uint64_t call;
};

static struct context *contexts;
static unsigned context_count = 1, context_capacity;
/* The contexts of calls. first is the outer context, second is the call, count is the inner context. */
static struct table inner_contexts;

static size_t place(const struct table *t, uint64_t first, uint64_t second, unsigned context)
{
	uint64_t hash = (first * 0x9e3779b97f4a7c15) ^ (second * 0xff51afd7ed558ccd) ^ (context * 0xc4ceb9fe1a85ec53);
	size_t i = (hash ^ hash >> 32) & (t->capacity - 1);
	while (t->cells[i].count &&
		(t->cells[i].first != first || t->cells[i].second != second || t->cells[i].context != context))
		i = (i + 1) & (t->capacity - 1);
	return i;
}

static void add(struct table *t, uint64_t first, uint64_t second, unsigned context, uint64_t count)
{
	if (t->used * 2 >= t->capacity) {
		struct table grown = { .capacity = t->capacity ? t->capacity * 2 : 1 << 12 };
		grown.cells = calloc(grown.capacity, sizeof *grown.cells);
		for (size_t i = 0; i < t->capacity; i++)
			if (t->cells[i].count)
				add(&grown, t->cells[i].first, t->cells[i].second, t->cells[i].context, t->cells[i].count);
		free(t->cells);
		*t = grown;
	}
	size_t i = place(t, first, second, context);
	t->used += !t->cells[i].count;
	t->cells[i] = (struct cell){ first, second, t->cells[i].count + count, context };
}

unsigned exact_context(unsigned outer, uint64_t call)
{
	if (inner_contexts.capacity) {
		uint64_t known = inner_contexts.cells[place(&inner_contexts, outer, call, 0)].count;
		if (known)
			return (unsigned)known;
	}
	if (context_count >= context_capacity) {
		context_capacity = context_capacity ? 2 * context_capacity : 256;
		contexts = realloc(contexts, context_capacity * sizeof *contexts);
	}
	contexts[context_count] = (struct context){ outer, call };
	add(&inner_contexts, outer, call, 0, context_count);
	return context_count++;
}

void exact_count(struct branch taken, unsigned context, uint64_t *run_start)
{
	if (*run_start)
		add(&runs, *run_start, taken.from, context, 1);
	add(&branches, taken.from, taken.to, context, 1);
	*run_start = taken.to;
}

static int by_address(const void *a, const void *b)
{
	const struct cell *x = a, *y = b;
	if (x->context != y->context)
		return x->context < y->context ? -1 : 1;
	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	return (x->second > y->second) - (x->second < y->second);
}

/* Sorts the used cells. */
static void sort(struct table *t)
{
	struct cell *sorted = calloc(t->used ? t->used : 1, sizeof *sorted);
	size_t n = 0;
	for (size_t i = 0; i < t->capacity; i++)
		if (t->cells[i].count)
			sorted[n++] = t->cells[i];
	qsort(sorted, n, sizeof *sorted, by_address);
	free(t->cells);
	t->cells = sorted;
	t->capacity = n;
}

/* Writes the cells of a context. They begin at `*next` of a sorted table; `*next` is moved behind them. */
static void write_cells(FILE *f, const struct table *t, size_t *next, unsigned context, const char *separator, const char *indent)
{
	size_t first = *next;
	while (*next < t->used && t->cells[*next].context == context)
		++*next;
	fprintf(f, "%s%zu\n", indent, *next - first);
	for (size_t i = first; i < *next; i++)
		fprintf(f, "%s%" PRIx64 "%s%" PRIx64 ":%" PRIu64 "\n", indent, t->cells[i].first, separator, t->cells[i].second,
			t->cells[i].count);
}

static void write_context(FILE *f, unsigned context, uint64_t bias)
{
	if (contexts[context].outer) {
		write_context(f, contexts[context].outer, bias);
		fprintf(f, " @ ");
	}
	fprintf(f, "0x%" PRIx64, contexts[context].call - bias);
}

bool exact_write(const char *path, uint64_t text_start, uint64_t text_end, uint64_t bias, bool by_context)
{
	struct table inner_runs = { 0 }, inner_branches = { 0 };
	for (size_t i = 0; i < runs.capacity; i++) {
		struct cell c = runs.cells[i];
		if (c.count && c.first >= text_start && c.second < text_end && c.first <= c.second)
			add(&inner_runs, c.first - bias, c.second - bias, c.context, c.count);
	}
	for (size_t i = 0; i < branches.capacity; i++) {
		struct cell c = branches.cells[i];
		if (!c.count || c.second < text_start || c.second >= text_end)
			continue;
		bool inside = c.first >= text_start && c.first < text_end;
		add(&inner_branches, inside ? c.first - bias : outside, c.second - bias, inside ? c.context : 0, c.count);
	}
	sort(&inner_runs);
	sort(&inner_branches);
	FILE *f = fopen(path, "w");
	if (!f)
		return false;
	size_t run = 0, branch = 0;
	for (unsigned context = 0; context < context_count; context++) {
		bool has_runs = run < inner_runs.used && inner_runs.cells[run].context == context;
		bool has_branches = branch < inner_branches.used && inner_branches.cells[branch].context == context;
		if (by_context && !has_runs && !has_branches)
			continue;
		if (by_context) {
			fputc('[', f);
			if (context)
				write_context(f, context, bias);
			fprintf(f, "]\n");
		}
		const char *indent = by_context ? "  " : "";
		write_cells(f, &inner_runs, &run, context, "-", indent);
		write_cells(f, &inner_branches, &branch, context, "->", indent);
	}
	return fclose(f) == 0;
}
