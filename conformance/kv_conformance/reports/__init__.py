"""Reports: each a reader of the events."""
