"""Apache Kafka 4.3.1 itself, one node on loopback: no docker and no Java to install."""
