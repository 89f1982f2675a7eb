"""Adds up the trace shards of one or more days with Spark, on a cluster. The result is that of sum_duckdb.py.

    spark-submit --py-files weights.py sum_spark.py FOLDER LAST DAYS OUTPUT

Without a cluster, `python3 sum_spark.py FOLDER LAST DAYS OUTPUT` uses the processors of this machine.
"""

import pathlib

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from weights import arguments, fail, nothing_found, weights

given = arguments(__doc__)
query = pathlib.Path(__file__).with_name("sum.sql").read_text()
spark = (
    SparkSession.builder.appName("sum of traces")
    # Days are names of folders, and a build id that consists of digits must not be read as a number.
    .config("spark.sql.sources.partitionColumnTypeInference.enabled", "false")
    .getOrCreate()
)
try:
    days = spark.createDataFrame(weights(given.last, given.days), "day string, weight bigint")
    days.createOrReplaceTempView("weights")
    # Hosts are not updated all at once, so some files have columns that others lack.
    traces = spark.read.option("mergeSchema", "true").parquet(given.folder)
    # Spark has no unsigned numbers, so it reads these columns as decimals.
    for column in ("branch_from", "branch_to", "run_end", "stack_end", "run_start", "count", "mispredicted"):
        traces = traces.withColumn(column, traces[column].cast("bigint"))
    traces.createOrReplaceTempView("traces")
    if traces.join(days, "day").isEmpty():
        nothing_found(given.folder, given.last, given.days)
    sums = spark.sql(query)
    sums.write.partitionBy("build_id").option("compression", "zstd").parquet(given.output)
except PySparkException as error:
    fail(error)
finally:
    spark.stop()
