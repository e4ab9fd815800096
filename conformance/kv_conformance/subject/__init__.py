"""Reaching the store under test."""
