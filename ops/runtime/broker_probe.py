"""Whether a broker is there."""

import socket


def answers(bootstrap: str) -> bool:
    """True when the broker at `bootstrap` answers an admin call with a controller and an unfenced broker."""
    from kafka import KafkaAdminClient
    from kafka.errors import KafkaError

    host, port = bootstrap.rsplit(":", 1)
    try:
        socket.create_connection((host, int(port)), timeout=1).close()  # quiet, unlike a client that cannot connect
        with KafkaAdminClient(bootstrap_servers=bootstrap, bootstrap_timeout_ms=5_000) as admin:
            cluster = admin.describe_cluster()
    except (OSError, KafkaError):
        return False
    return cluster["controller_id"] >= 0 and any(not broker["is_fenced"] for broker in cluster["brokers"])
