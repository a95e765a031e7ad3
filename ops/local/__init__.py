"""One machine: an engine of processes of its own."""
