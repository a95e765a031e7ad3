"""What somebody hostile learns, in figures: by joining topics, and from receipts."""
