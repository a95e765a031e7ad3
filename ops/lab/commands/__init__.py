"""The commands of the workshop; where it is not installed, they say so."""
