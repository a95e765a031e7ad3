"""Pure steps: one file is one stage. No I/O, no clock, no chance; the host reads, calls, sends and counts."""
