"""The study's registry: what came in, what was drawn, what is done, by whom and why.

``tables`` has the tables, ``engine`` the database: one of the two kinds of ``io/database``.
``registry`` is what the rest of the house calls: it opens, asks (``reading``) and writes.
``transaction`` is the only way to write, rows (``row_writer``) and units (``unit_writer``) alike,
and every write leaves an event in ``chain``. ``claims`` says who works on what, ``checks`` whether
rows are what events say, ``status`` has the sums for a prompt, ``upgrade`` the way from older
schemas.
"""
