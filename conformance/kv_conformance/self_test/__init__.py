"""The harness tried on the mutants: each clause broken on purpose, and blamed for it or not."""
