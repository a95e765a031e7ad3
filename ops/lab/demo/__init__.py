"""The demonstration: people played through the doors, and what came out held against the truth."""
