"""Adds up the trace shards of one or more days with Spark, on a cluster. The result is that of sum_duckdb.py.

    spark-submit --py-files weights.py sum_spark.py FOLDER LAST DAYS OUTPUT

Without a cluster, `python3 sum_spark.py FOLDER LAST DAYS OUTPUT` uses the processors of this machine.
"""

import pathlib
import sys

from pyspark.sql import SparkSession

from weights import weights

folder, last, days, output = sys.argv[1:]
spark = (
    SparkSession.builder.appName("sum of traces")
    # Days are names of folders, and a build id that consists of digits must not be read as a number.
    .config("spark.sql.sources.partitionColumnTypeInference.enabled", "false")
    .getOrCreate()
)
spark.createDataFrame(weights(last, int(days)), "day string, weight bigint").createOrReplaceTempView("weights")
# Hosts are not updated all at once, so some files have columns that others lack.
traces = spark.read.option("mergeSchema", "true").parquet(folder)
# Spark has no unsigned numbers, so it reads these columns as decimals.
for column in ("branch_from", "branch_to", "run_end", "stack_end", "run_start", "count", "mispredicted"):
    traces = traces.withColumn(column, traces[column].cast("bigint"))
traces.createOrReplaceTempView("traces")
query = pathlib.Path(__file__).with_name("sum.sql").read_text()
sums = spark.sql(query)
sums.write.partitionBy("build_id").option("compression", "zstd").parquet(output)
spark.stop()
