#pragma once

/* A program and two libraries that call each other, and back. */
typedef unsigned (*step)(unsigned value);

unsigned first_fold(const unsigned *values, int count, step visit);
unsigned second_mix(unsigned value, step visit);
void second_sort(unsigned *values, int count);
