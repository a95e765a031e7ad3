"""The one host of all stages, and the only importer of faust, mode and aiokafka.

Faust keeps the consumer group, the assignment and the worker; record batches go from its consumer straight to
a pure step (`consumer.py`). One batch is in flight: outputs sent, all acknowledged, state sent, acknowledged,
offsets committed (`batch.py`). Anything unexpected ends the process without a commit (`watchdog.py`).
"""
