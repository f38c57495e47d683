"""DICOM over the network: a receiver that hands every object on as bytes, and keeps none.

``receiver`` listens, ``server`` is its transport, ``contexts`` says what is taken, ``statuses``
what senders are told, ``file_head`` makes a file of what came, ``quiet`` keeps libraries from
talking of it.
"""
