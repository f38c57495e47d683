"""What every database of ours has in common: how it is reached, and that what is permanent stays.

``engine``
    SQLite and PostgreSQL, set up so that nothing is lost and writers queue.
``guards``
    Triggers that refuse to change or delete rows, whoever asks.
``complaints``
    Which exceptions are a database's, and which of them a bug.
"""
