"""Real servers for one run, each in a folder of its own, on a socket only this machine reaches.

    with redis_server() as server:
        store = RedisStore(server.url)

A further server is a module of its own: where its program is found, its command line, and how one
sees that it is ready. `process.py` does the rest. POSIX only.
"""

from kv_adapters.servers.etcd import etcd_server
from kv_adapters.servers.mariadb import mariadb_server
from kv_adapters.servers.memcached import memcached_server
from kv_adapters.servers.nats import nats_server
from kv_adapters.servers.postgres import postgres_server
from kv_adapters.servers.process import Server, ServerMissing
from kv_adapters.servers.redis import redis_server
from kv_adapters.servers.valkey import valkey_server
from kv_adapters.servers.workers_kv import workers_kv_server

__all__ = [
    "Server",
    "ServerMissing",
    "etcd_server",
    "mariadb_server",
    "memcached_server",
    "nats_server",
    "postgres_server",
    "redis_server",
    "valkey_server",
    "workers_kv_server",
]
