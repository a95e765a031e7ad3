"""The engine without Kafka: topics in memory and the steps of production, from sealed intake to final topics.

Tests, the model checker and the benches drive these same parts; what differs is who chooses the next step.
"""
