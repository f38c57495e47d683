"""The study's registry: what came in, what was drawn, what is done, by whom and why.

``tables`` has the tables, ``engine`` the two databases, ``transaction`` the only way to write
(every write leaves an event in ``chain``), ``registry`` what the rest of the house calls,
``claims`` who works on what, ``status`` the sums for a prompt, ``upgrade`` the way from older
schemas.
"""
