"""Benches: what a hop costs, what a worker keeps in memory, how soon it is back. Figures, never pass or fail."""
