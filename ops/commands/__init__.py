"""One file, one command of `tierlink`: a function with its options, and register(app)."""
