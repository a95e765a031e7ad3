"""Tables of records: evaluate the linker, train a model, and hold it to a gate."""
