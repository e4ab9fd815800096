"""The phases of a run, each a module."""
