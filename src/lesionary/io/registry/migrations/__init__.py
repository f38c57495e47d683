"""Steps from one schema to the next, run by Alembic; see ``upgrade.py``.

A step that was published is never edited: ``schema_1`` and its like are the tables as they were
then, whatever ``tables.py`` says now. What the steps share with the rest of the house is file
format: the audit's chain, canonical JSON and derived ids.
"""
