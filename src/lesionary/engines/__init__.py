"""What implements a stage's protocol with a heavy library."""
