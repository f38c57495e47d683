"""One module a stage between ingest and publish: what it plans, and the task of one unit."""
