"""The engine without Kafka, under a seeded scheduler: a deterministic simulation of its faults.

Logs, groups and workers are in memory and every choice is drawn from one seed; the steps and the rule of what
may be sent and committed when (`streams.host.commit`) are those of production. It judges the steps and the rule,
not the host's use of Kafka: that is what `./run chaos` is for.
"""
