#include "exact_counts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* llvm-profgen's address for "somewhere outside the program". */
static const uint64_t outside = 1;

struct cell {
	uint64_t first, second, count;
};

/* Open addressing, at most half full; a cell with count 0 is free. */
struct table {
	struct cell *cells;
	size_t capacity, used;
};

static struct table runs, branches;
static uint64_t run_start;

static void add(struct table *t, uint64_t first, uint64_t second, uint64_t count)
{
	if (t->used * 2 >= t->capacity) {
		struct table grown = { .capacity = t->capacity ? t->capacity * 2 : 1 << 12 };
		grown.cells = calloc(grown.capacity, sizeof *grown.cells);
		for (size_t i = 0; i < t->capacity; i++)
			if (t->cells[i].count)
				add(&grown, t->cells[i].first, t->cells[i].second, t->cells[i].count);
		free(t->cells);
		*t = grown;
	}
	uint64_t hash = (first * 0x9e3779b97f4a7c15) ^ (second * 0xff51afd7ed558ccd);
	size_t i = (hash ^ hash >> 32) & (t->capacity - 1);
	while (t->cells[i].count && (t->cells[i].first != first || t->cells[i].second != second))
		i = (i + 1) & (t->capacity - 1);
	t->used += !t->cells[i].count;
	t->cells[i] = (struct cell){ first, second, t->cells[i].count + count };
}

void exact_count(struct branch taken)
{
	if (run_start)
		add(&runs, run_start, taken.from, 1);
	add(&branches, taken.from, taken.to, 1);
	run_start = taken.to;
}

static int by_address(const void *a, const void *b)
{
	const struct cell *x = a, *y = b;
	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	return (x->second > y->second) - (x->second < y->second);
}

static void write_table(FILE *f, const struct table *t, const char *separator)
{
	struct cell *sorted = calloc(t->used ? t->used : 1, sizeof *sorted);
	size_t n = 0;
	for (size_t i = 0; i < t->capacity; i++)
		if (t->cells[i].count)
			sorted[n++] = t->cells[i];
	qsort(sorted, n, sizeof *sorted, by_address);
	fprintf(f, "%zu\n", n);
	for (size_t i = 0; i < n; i++)
		fprintf(f, "%" PRIx64 "%s%" PRIx64 ":%" PRIu64 "\n", sorted[i].first, separator, sorted[i].second,
			sorted[i].count);
	free(sorted);
}

bool exact_write(const char *path, uint64_t text_start, uint64_t text_end, uint64_t bias)
{
	struct table inner_runs = { 0 }, inner_branches = { 0 };
	for (size_t i = 0; i < runs.capacity; i++) {
		struct cell c = runs.cells[i];
		if (c.count && c.first >= text_start && c.second < text_end && c.first <= c.second)
			add(&inner_runs, c.first - bias, c.second - bias, c.count);
	}
	for (size_t i = 0; i < branches.capacity; i++) {
		struct cell c = branches.cells[i];
		if (!c.count || c.second < text_start || c.second >= text_end)
			continue;
		bool inside = c.first >= text_start && c.first < text_end;
		add(&inner_branches, inside ? c.first - bias : outside, c.second - bias, c.count);
	}
	FILE *f = fopen(path, "w");
	if (!f)
		return false;
	write_table(f, &inner_runs, "-");
	write_table(f, &inner_branches, "->");
	return fclose(f) == 0;
}
