"""Measures the part of a job that only one thread can do: the instructions outside of loops that rayon divides.

    python3 bench/serial-share.py PROGRAM [ARGUMENT...]

PROGRAM has symbols and uses one thread, for example
`native/target/profiling/examples/generate BINARY PERFDATA extbinary jobs=1`. callgrind counts its instructions, so
other work on the machine does not matter. A loop that contains another loop, such as the loop over the binaries of a
job, is not counted as divided: with one binary it divides nothing. `rayon::join` lets two threads work at once, for
example one reads a segment while the other counts the segment before. This work is not divided among more threads, so
it is counted as serial. Prints the number of instructions, the serial share, and by Amdahl's law the largest factor by
which 2, 4, 16 and any number of threads can be faster than one.
"""

import collections
import os
import subprocess
import sys
import tempfile

LOOP = "bridge_producer_consumer6helper"


def profile(command):
    """Returns the instructions of a run, and its calls: {caller: {callee: instructions of the callee and its callees}}."""
    calls = collections.defaultdict(collections.Counter)
    total, caller, callee = 0, None, None
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out")
        flags = ["--tool=callgrind", "--demangle=no", "--compress-strings=no", "--compress-pos=no"]
        subprocess.run(
            ["valgrind", *flags, f"--callgrind-out-file={out}", *command],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
        )
        for line in open(out, encoding="utf-8", errors="replace"):
            if line.startswith("fn="):
                caller = line[3:].strip()
            elif line.startswith("cfn="):
                callee = line[4:].strip()
            elif line[:1].isdigit() and callee is not None:
                calls[caller][callee] += int(line.split()[1])
                callee = None
            elif line.startswith("totals:"):
                total = int(line.split()[1])
    return total, calls


def reached(calls, start):
    """Returns all functions that `start` calls, directly or through other functions."""
    found, open_ends = set(), [start]
    while open_ends:
        for callee in calls.get(open_ends.pop(), ()):
            if callee not in found:
                found.add(callee)
                open_ends.append(callee)
    return found


total, calls = profile(sys.argv[1:])
divided = 0
for loop in {callee for callees in calls.values() for callee in callees if LOOP in callee}:
    inside = reached(calls, loop)
    if any(LOOP in other and other != loop for other in inside):
        continue
    # A loop is divided by calling itself on each half, so some of its calls come from itself. These are not counted.
    divided += sum(callees[loop] for caller, callees in calls.items() if caller != loop and caller not in inside)
serial = 1 - divided / total
speedups = ", ".join(f"{threads}: {1 / (serial + (1 - serial) / threads):.1f}" for threads in (2, 4, 16))
print(f"{total / 1e6:.0f} M instructions, {serial:.0%} serial; threads: at most times as fast: {speedups}, any: {1 / serial:.1f}")
