"""Topics, key files and ticks: what an operator changes, and how topics are read and written."""
