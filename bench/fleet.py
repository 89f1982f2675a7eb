"""Simulates a day of a fleet: many trace shards, their sum, and the profile of one binary.

    python3 bench/fleet.py KERNEL_FOLDER WORK_FOLDER SHARDS [ROWS]

KERNEL_FOLDER has a vmlinux and a perf.data of it (test/recorder/record-kernel.sh). Each of SHARDS shards has about
ROWS (default 10,000) rows: a random part of the rows of that recording, with random counts, for one of 20 builds, and
the first build is the vmlinux. The shards come from 50 hosts in turn. WORK_FOLDER keeps the shards, so that a later
run with more shards makes only the missing ones. Python needs duckdb. The command autofdo-gen is that in dist/.
Prints one line for bench/RESULTS.md.
"""

import os
import pathlib
import subprocess
import sys
import time

import duckdb

HOSTS = 50
BUILDS = 20
MEMORY = "2GB"

kernel, work = (pathlib.Path(path) for path in sys.argv[1:3])
shards = int(sys.argv[3])
rows = int(sys.argv[4]) if len(sys.argv) > 4 else 10_000
main = pathlib.Path(__file__).parent.parent / "dist/cli/main.js"
made = work / f"made-{rows}"
spool = work / f"spool-{rows}-{shards}"
for folder in (made, spool):
    folder.mkdir(parents=True, exist_ok=True)


def measured(*args):
    """Runs a command. Returns its CPU time and wall-clock time in seconds, and its peak memory in MiB."""
    started = time.monotonic()
    child = subprocess.Popen(args, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    assert status == 0, args
    return usage.ru_utime + usage.ru_stime, time.monotonic() - started, usage.ru_maxrss / 1024


def autofdo_gen(*args):
    return measured("node", str(main), *map(str, args))


base = work / "base.parquet"
autofdo_gen("collect", "--perfdata", kernel / "perf.data", "-o", base)
database = duckdb.connect(config={"memory_limit": MEMORY, "temp_directory": str(work / "spill")})
database.execute(f"CREATE TABLE base AS FROM '{base}' WHERE record = 'branch' AND kind = 'kernel'")
of_base = database.execute("SELECT COUNT(*) FROM base").fetchone()[0]
share = rows / of_base

for shard in range(shards):
    name = f"host{shard % HOSTS}-{shard}.parquet"
    if not (made / name).exists():
        build = shard % BUILDS
        identity = "build_id" if build == 0 else f"'{build:040x}'"
        database.execute(
            f"""COPY (SELECT * REPLACE ({identity} AS build_id, (1 + hash(branch_from, run_end, {shard}) % 100)::UBIGINT AS count,
                                        0::UBIGINT AS mispredicted)
                      FROM base WHERE hash(branch_from, branch_to, run_end, via, {shard}) % 1000000 < {round(share * 1_000_000)})
                TO '{made}/new' (FORMAT parquet, COMPRESSION zstd)"""
        )
        (made / "new").rename(made / name)
    if not (spool / name).exists():
        os.link(made / name, spool / name)

size = sum(path.stat().st_size for path in spool.iterdir())
total = database.execute(f"SELECT SUM(num_rows) FROM parquet_file_metadata('{spool}/*.parquet')").fetchone()[0]
database.close()

# The sum runs in a process of its own, so that its memory can be measured.
summed = work / f"sum-{shards}.parquet"
query = f"""import duckdb
duckdb.connect(config={{"memory_limit": "{MEMORY}", "temp_directory": "{work / "spill"}"}}).execute(
  "COPY (SELECT * REPLACE (SUM(count)::UBIGINT AS count, SUM(mispredicted)::UBIGINT AS mispredicted) FROM '{spool}/*.parquet' "
  "GROUP BY ALL ORDER BY build_id) TO '{summed}' (COMPRESSION zstd)")"""
of_sum = measured(sys.executable, "-c", query)

profiles = [work / f"{shards}-{name}.afdo" for name in ("sum", "apart")]
vmlinux = kernel / "vmlinux"
from_sum = autofdo_gen("--binary", vmlinux, "--traces", summed, "-o", profiles[0])
from_shards = autofdo_gen("--binary", vmlinux, "--traces", spool, "-o", profiles[1])
assert profiles[0].read_bytes() == profiles[1].read_bytes(), "the profiles differ"
print(
    f"| {shards:,} | {total / 1e6:.1f} M | {size / 1e6:.0f} MB | "
    + " | ".join(f"{cpu:.1f} s, {wall:.1f} s, {memory:.0f} MiB" for cpu, wall, memory in (of_sum, from_sum, from_shards))
    + " |"
)
