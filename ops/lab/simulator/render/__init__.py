"""Each provider's own format, written with templates of our own: no reader or mapper of the engine is imported here.

A mistake in the engine's writers can therefore not hide in the simulator's, nor the other way about.
"""
