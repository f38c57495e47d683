"""Studies killed at random moments, on SQLite and on PostgreSQL: ``python -m torture``."""
