"""The vocabulary: identity types, facts, envelopes, topics, keys. Imports nothing of ours, does no I/O, reads no clock."""
