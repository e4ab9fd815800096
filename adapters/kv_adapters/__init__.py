"""Stores that pass."""
