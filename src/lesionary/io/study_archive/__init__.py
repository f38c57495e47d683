"""A study as one file: written here, read on another machine, into another database.

``layout`` says what lies where in it, ``tar`` writes and reads its bytes. ``write`` and ``read``
are the two ways; ``load`` is the database's side of reading, ``rows`` are rows in their stored
form, ``release_list`` says what of a release travels, and ``pending`` looks after what is not yet
whole.
"""
