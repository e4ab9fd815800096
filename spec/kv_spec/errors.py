"""What a store raises: one tree.

    StoreError
    ├── InvalidInput (also ValueError)     refused, nothing changed
    │   ├── InvalidKey
    │   ├── InvalidValue
    │   └── InvalidTtl
    ├── StoreClosed                        the handle was closed before
    ├── Unsupported                        the store does not offer this
    └── Unavailable                        the answer is unknown: the call may have happened

Third parties need not import these: for input outside the domain any Exception conforms.
"""


class StoreError(Exception):
    """The root of what a store raises on purpose.

    `definite` is True where the call certainly had no effect.
    """

    definite: bool = True


class InvalidInput(StoreError, ValueError):
    """Input outside the store's declared domain; nothing changed (ERR-1)."""


class InvalidKey(InvalidInput):
    """The key or prefix is outside the declared domain (KEY-3, KEY-4, KEY-7)."""


class InvalidValue(InvalidInput):
    """The value is outside the declared domain (VAL-4, VAL-7, NULL-3)."""


class InvalidTtl(InvalidInput):
    """The time to live is outside the declared domain (TTL-6, TTL-7, TTL-8)."""


class StoreClosed(StoreError):
    """The store was closed (CLOSE-2)."""


class Unsupported(StoreError):
    """The store does not offer this operation (ERR-2)."""


class Unavailable(StoreError):
    """The store did not answer: the call may or may not have happened."""

    definite = False
