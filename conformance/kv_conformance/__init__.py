"""The harness: it runs a store against the specification and reports clause by clause."""
