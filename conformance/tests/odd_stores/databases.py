"""Stores on SQLite and on files, in folders of their own."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import tempfile
import time
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from kv_spec.profile import Profile
from kv_spec.values import equal

from .base import MISSING, DictStore, Entries, Keys, seconds


class ThreadBoundSqlite(DictStore):
    """A connection to SQLite that refuses every thread but its own; not for concurrent use."""

    profile = Profile(concurrent=False, list_order="lex")

    def __init__(self, path: str = ":memory:") -> None:
        super().__init__()
        self.database = sqlite3.connect(path, isolation_level=None, timeout=20.0)
        self.database.execute("PRAGMA synchronous = OFF")
        self.database.execute(
            "CREATE TABLE IF NOT EXISTS entries (k BLOB PRIMARY KEY, v TEXT, ends REAL)"
        )

    def read(self, key: Any) -> Any:
        row = self.database.execute(
            "SELECT v FROM entries WHERE k = ? AND (ends IS NULL OR ends > ?)", (_blob(key), _now())
        ).fetchone()
        return MISSING if row is None else json.loads(row[0])

    def write(self, key: Any, value: Any, lifetime: float | None) -> None:
        self.check(value)
        if value is None or (lifetime is not None and lifetime <= 0):
            self.remove(key)
            return
        ends = None if lifetime is None else _now() + lifetime
        self.database.execute(
            "INSERT OR REPLACE INTO entries VALUES (?, ?, ?)", (_blob(key), json.dumps(value), ends)
        )

    def remove(self, key: Any) -> None:
        self.database.execute("DELETE FROM entries WHERE k = ?", (_blob(key),))

    def delete(self, key: Any) -> None:
        self.remove(self.checked(key))

    def cas(self, key: Any, expected: Any, new: Any, *, ttl: float | None = None) -> bool:
        lifetime = seconds(ttl)
        self.database.execute("BEGIN IMMEDIATE")
        try:
            current = self.read(self.checked(key))
            fits = current is MISSING if expected is None else equal(expected, current)
            if fits and new is None:
                self.remove(key)
            elif fits:
                self.write(key, new, lifetime)
        finally:
            self.database.execute("COMMIT")
        return fits

    def entries_below(self, prefix: Any = None) -> Entries:
        start = b"".join(_part(part) for part in prefix or ())
        rows = self.database.execute(
            "SELECT k, v FROM entries WHERE substr(k, 1, ?) = ? AND (ends IS NULL OR ends > ?)"
            " ORDER BY k",
            (len(start), start, _now()),
        ).fetchall()
        return [(_key(key), json.loads(value)) for key, value in rows]

    def close(self) -> None:
        self.database.close()


class SqliteInSpaces(ThreadBoundSqlite):
    """A file of SQLite for each space, and a thread-bound connection to it for each handle."""

    profile = Profile(list_order="lex")
    folders: ClassVar[dict[str, tempfile.TemporaryDirectory[str]]] = {}

    def __init__(self, *, space: str) -> None:
        folder = self.folders.get(space)
        if folder is None:
            while len(self.folders) > 16:
                self.folders.pop(next(iter(self.folders))).cleanup()
            folder = self.folders[space] = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        super().__init__(str(Path(folder.name) / "entries.db"))


class Folder(DictStore):
    """A file for each entry, named by a hash of its key; the key itself is in the file."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self._cleanup = weakref.finalize(self, shutil.rmtree, self.folder, True)

    def path(self, key: Any) -> Path:
        return self.folder / hashlib.sha256(_blob(key)).hexdigest()

    def load(self, path: Path) -> tuple[Any, Any]:
        """The key and the value of a file; MISSING for either where there is none."""
        try:
            record = json.loads(path.read_text())
        except FileNotFoundError:
            return MISSING, MISSING
        late = record["ends"] is not None and time.time() >= record["ends"]
        return tuple(record["key"]), MISSING if late else record["value"]

    def read(self, key: Any) -> Any:
        known, value = self.load(self.path(key))
        return value if known == key else MISSING

    def write(self, key: Any, value: Any, lifetime: float | None) -> None:
        self.check(value)
        if value is None or (lifetime is not None and lifetime <= 0):
            self.delete(key)
            return
        ends = None if lifetime is None else time.time() + lifetime
        self.path(key).write_text(json.dumps({"key": key, "value": value, "ends": ends}))

    def delete(self, key: Any) -> None:
        self.path(self.checked(key)).unlink(missing_ok=True)

    def cas(self, key: Any, expected: Any, new: Any, *, ttl: float | None = None) -> bool:
        current, lifetime = self.read(self.checked(key)), seconds(ttl)
        fits = current is MISSING if expected is None else equal(expected, current)
        if fits:
            self.write(key, new, lifetime)
        return fits

    def entries_below(self, prefix: Any = None) -> Entries:
        entries = [self.load(path) for path in [*self.folder.iterdir()]]
        size = len(prefix or ())
        return [
            (key, value)
            for key, value in entries
            if value is not MISSING and key[:size] == (prefix or ())
        ]


class Journal(DictStore):
    """Appends every write to a log and reads it from the beginning, each time."""

    def __init__(self) -> None:
        super().__init__()
        self.log: list[bytes] = []

    def write(self, key: Any, value: Any, lifetime: float | None) -> None:
        self.check(value)
        gone = value is None or (lifetime is not None and lifetime <= 0)
        ends = None if lifetime is None else self.now() + lifetime
        self.append([key, None, None] if gone else [key, [value], ends])

    def append(self, line: list[Any]) -> None:
        text = json.dumps(line).encode()
        self.log.append(text + hashlib.md5(text).digest())

    def delete(self, key: Any) -> None:
        self.append([self.checked(key), None, None])

    def cas(self, key: Any, expected: Any, new: Any, *, ttl: float | None = None) -> bool:
        self.records = dict(self.replayed())
        done = super().cas(key, expected, new, ttl=ttl)
        if done and new is None:
            self.delete(key)
        return done

    def read(self, key: Any) -> Any:
        found = self.replayed().get(key)
        if found is None or (found[1] is not None and self.over(found[1])):
            return MISSING
        return found[0]

    def keys_below(self, prefix: Any = None) -> Keys:
        self.records = self.replayed()
        return super().keys_below(prefix)

    def replayed(self) -> dict[Any, Any]:
        records: dict[Any, Any] = {}
        for line in self.log:
            key, value, ends = json.loads(line[:-16])
            records.pop(tuple(key), None)
            if value is not None:
                records[tuple(key)] = (value[0], ends)
        return records


def _now() -> float:
    return time.time()


def _part(part: str) -> bytes:
    """A component by itself: NUL is written in two bytes, and the end in two others."""
    return part.encode("utf-8", "surrogatepass").replace(b"\0", b"\0\xff") + b"\0\x01"


def _blob(key: Any) -> bytes:
    return b"".join(_part(part) for part in key)


def _key(blob: bytes) -> tuple[str, ...]:
    return tuple(_components(blob))


def _components(blob: bytes) -> Iterator[str]:
    start = at = 0
    while at < len(blob):
        if blob[at] == 0 and blob[at + 1] == 1:
            yield blob[start:at].replace(b"\0\xff", b"\0").decode("utf-8", "surrogatepass")
            start = at = at + 2
        else:
            at += 2 if blob[at] == 0 else 1
