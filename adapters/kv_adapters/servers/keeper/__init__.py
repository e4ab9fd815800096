"""The process that starts a server and looks after it: a program of its own.

It is run without the rest of this distribution (see `kv_adapters.servers.kept`), so its modules
import the standard library and each other only.
"""
