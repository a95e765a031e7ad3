"""The vocabulary: identity types, facts, envelopes, topics, keys. No I/O, no clock; imports nothing of ours."""
