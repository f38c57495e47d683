"""The only place that opens files, sockets and databases."""
