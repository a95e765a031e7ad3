"""The workshop: simulator, demonstration, chaos, model check and benches. It is never shipped."""
