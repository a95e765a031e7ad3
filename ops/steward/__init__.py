"""Doubtful pairs: reviews, decisions, and why two records are linked."""
