"""DICOMweb: search (QIDO-RS), fetch (WADO-RS) and store (STOW-RS) over HTTP or HTTPS.

``client`` speaks it, ``http`` carries it, ``multipart`` takes bodies of many objects apart. Only
the standard library is used; objects come and go as bytes in memory, one by one.

Source: DICOM PS3.18.
"""
