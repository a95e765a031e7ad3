"""Which records are one person: a pure library over values. README.md in this folder is its chapter."""
