"""The fault harness: a whole engine under load while a seeded menu of faults acts on it, and a verdict."""
