"""Adds up the trace shards of one or more days with DuckDB, on one machine.

    python3 sum_duckdb.py FOLDER LAST DAYS OUTPUT

FOLDER has the files of each day in a folder of its own, FOLDER/day=2026-11-29, at any depth. LAST is the last of the
DAYS days. OUTPUT gets a folder for each build id, which `autofdo-gen --traces OUTPUT` reads.
"""

import glob
import pathlib

import duckdb

from weights import arguments, fail, nothing_found, weights


def literal(text):
    """Returns a text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


given = arguments(__doc__)
files = glob.escape(given.folder) + "/day=*/**/*.parquet"
query = pathlib.Path(__file__).with_name("sum.sql").read_text()
database = duckdb.connect()
try:
    if not database.execute("SELECT 1 FROM glob(?) LIMIT 1", [files]).fetchall():
        nothing_found(given.folder, given.last, given.days)
    database.execute("CREATE TABLE weights (day VARCHAR, weight BIGINT)")
    database.executemany("INSERT INTO weights VALUES (?, ?)", weights(given.last, given.days))
    # Hosts are not updated all at once, so some files have columns that others lack.
    database.execute(
        f"CREATE VIEW traces AS FROM read_parquet({literal(files)}, union_by_name = true, "
        "hive_partitioning = true, hive_types_autocast = false)"
    )
    [rows] = database.execute(
        f"COPY ({query}) TO {literal(given.output)} (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (build_id))"
    ).fetchone()
    if rows == 0:
        nothing_found(given.folder, given.last, given.days)
except duckdb.Error as error:
    fail(error)
