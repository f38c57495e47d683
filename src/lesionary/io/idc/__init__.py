"""The Imaging Data Commons: its index, read offline, and its public bucket, read with s5cmd."""
