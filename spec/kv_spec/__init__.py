"""What a key-value store must do: the contract, the clauses and the executable specification."""

from kv_spec.dialects import PRESETS
from kv_spec.errors import (
    InvalidInput,
    InvalidKey,
    InvalidTtl,
    InvalidValue,
    StoreClosed,
    StoreError,
    Unavailable,
    Unsupported,
)
from kv_spec.profile import Profile, ProfileError
from kv_spec.store import ABSENT, AsyncKvStore, Entry, Key, KvStore, Prefix, Ttl, Value

__all__ = [
    "ABSENT",
    "PRESETS",
    "AsyncKvStore",
    "Entry",
    "InvalidInput",
    "InvalidKey",
    "InvalidTtl",
    "InvalidValue",
    "Key",
    "KvStore",
    "Prefix",
    "Profile",
    "ProfileError",
    "StoreClosed",
    "StoreError",
    "Ttl",
    "Unavailable",
    "Unsupported",
    "Value",
]
