"""The one host of all stages, and the only importer of faust, mode and aiokafka.

Faust keeps the consumer group, the assignment and the worker; record batches go from its consumer straight to a pure
step (`consumer.py`). Several batches are in flight, each in the same order: outputs sent, all acknowledged, state sent,
acknowledged, offsets committed (`commit.py` decides, `batch.py` does). Anything unexpected ends the process without a
commit (`watchdog.py`).

The promise this is for:

What a door has acknowledged is never lost, and the same messages end in the same final topics, whatever of this
happens, alone or together: kill -9 or SIGTERM of any process at any moment; a process frozen past its session and woken
again; kill -9 and restart of the broker; delay, reset and silence of any connection to it; a full disk; a worker's
directory wiped; workers added and removed; messages repeated, late or in any order. It is not promised through the loss
of a broker's disk, nor through a power cut where one replica is all there is: Kafka acknowledges from the page cache,
and only three replicas with two in sync outlive one machine. Nor is it promised faster than the faults allow: a worker
that cannot be sure stops, and what it had not committed is done again.
"""
