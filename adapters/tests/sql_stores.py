"""What the tests of the stores in a database on a server share."""

from typing import Any

import pytest

from .conftest import Opener

STORES = ["postgres", "mysql"]
both = pytest.mark.parametrize("open_store", STORES, indirect=True)
postgres = pytest.mark.parametrize("open_store", ["postgres"], indirect=True)
mysql = pytest.mark.parametrize("open_store", ["mysql"], indirect=True)


def run(store: Any, statement: str, *values: object) -> Any:
    """The answer to a statement, on a connection of the store."""
    return store._database.execute(statement, *values)


def alone(open_store: Opener) -> Any:
    """A store on a table, and so on connections, of its own."""
    open_store.options = {**open_store.options, "table": "kv_alone"}
    return open_store()
