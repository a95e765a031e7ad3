"""The linker outside the engine: on any table of records with known truth. Who calls it is ops.commands.linkage."""
