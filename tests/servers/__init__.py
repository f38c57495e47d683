"""Real servers for tests: each in a folder of its own, on loopback only, gone at the end."""
