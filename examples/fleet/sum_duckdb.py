"""Adds up the trace shards of one or more days with DuckDB, on one machine.

    python3 sum_duckdb.py FOLDER LAST DAYS OUTPUT

FOLDER has the files of each day in a folder of its own, FOLDER/day=2026-11-29, at any depth. LAST is the last of the
DAYS days. OUTPUT gets a folder for each build id, which `autofdo-gen --traces OUTPUT` reads.
"""

import pathlib
import sys

import duckdb

from weights import weights

folder, last, days, output = sys.argv[1:]
database = duckdb.connect()
database.execute("CREATE TABLE weights (day VARCHAR, weight BIGINT)")
database.executemany("INSERT INTO weights VALUES (?, ?)", weights(last, int(days)))
# Hosts are not updated all at once, so some files have columns that others lack.
database.execute(
    f"CREATE VIEW traces AS FROM read_parquet('{folder}/day=*/**/*.parquet', union_by_name = true, "
    "hive_partitioning = true, hive_types_autocast = false)"
)
query = pathlib.Path(__file__).with_name("sum.sql").read_text()
database.execute(
    f"COPY ({query}) TO '{output}' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (build_id))"
)
