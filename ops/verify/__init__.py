"""Whether the engine kept its promises: ledger, comparison with a replay, checker, search for leaks."""
