"""The demonstration: simulated people sent through the doors, and the result compared with the truth."""
