"""DICOM over the network: a receiver that hands every object on as bytes, and keeps none.

``receiver`` listens as ``settings`` say, ``server`` is its transport, ``conversations`` are the
associations that go on, ``contexts`` says what is taken, ``statuses`` what senders are told,
``rejections`` why one was turned away, ``file_head`` makes a file of what came, ``quiet`` keeps
libraries from talking of it.
"""
