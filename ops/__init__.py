"""The top: the command line, the embedded broker, the simulator and the independent judges. Nobody imports it."""
