-- Adds up trace shards, or sums of them, each day with its weight. Every column except the two numbers is a key.
-- DuckDB and Spark both run this query; docs/trace-shards.md describes the columns.
SELECT
  record, build_id, path, kind, event, arch, branch_from, branch_to, run_end, newest, stack_end, crosses_kernel, via,
  patch, exact, taken, run_start, branch_stack, call_chain, has_call_chain,
  CAST(SUM(count * weight) AS BIGINT) AS count,
  CAST(SUM(mispredicted * weight) AS BIGINT) AS mispredicted
FROM traces JOIN weights USING (day)
GROUP BY ALL
