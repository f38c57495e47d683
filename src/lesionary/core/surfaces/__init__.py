"""The surface of a label, and how far two of them lie apart."""
