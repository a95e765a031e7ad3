"""A provider's side: senders by HTTP, MLLP and files, their journal, and the dry check."""
