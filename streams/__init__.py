"""The engine: pure steps, the topology that joins them, and the host that runs them on Kafka."""
