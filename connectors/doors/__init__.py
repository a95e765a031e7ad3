"""Transports: bytes in, an answer out in the provider's own language. All the I/O of the edge is here."""
