"""Where a worker of a race is worth holding: before an instruction that others may notice.

An instruction that touches nothing but its own frame commutes with whatever another thread does. A
switch before it comes to the same as a switch before the next one that is not of this kind, so
only the latter are counted (partial-order reduction: Godefroid, LNCS 1032, 1996).
"""

from __future__ import annotations

import dis
import sysconfig
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FrameType, FunctionType, ModuleType
from typing import Any, Final

_HARNESS: Final = tuple(
    str(Path(found.origin).parent)
    for found in map(find_spec, ("kv_spec", "kv_conformance", "hypothesis", "time_machine"))
    if found is not None and found.origin is not None
)
"""Hypothesis among them, which is called whenever garbage is collected, in whatever thread."""
_STDLIB: Final = (str(sysconfig.get_path("stdlib")), "<frozen")
_CLIENTS: Final = frozenset(
    (
        "aiohttp anyio asyncpg boto3 botocore etcd3 grpc h11 h2 hiredis hpack httpcore httpx "
        "mysql nats psycopg psycopg2 psycopg_binary pymemcache pymongo pymysql redis requests "
        "s3transfer urllib3 valkey"
    ).split()
)
"""Libraries that talk to a server. What they do is noticed as they send and receive: between that,
thousands of instructions of theirs are about one connection, which a worker uses by itself."""
_TALKS: Final = frozenset(
    (
        "fetch_many getresponse readinto readline recv recv_into recvfrom request send sendall "
        "sendmsg sendto send_query_params send_query_prepared"
    ).split()
)
"""What libraries call that send or receive."""

_OWN: Final = frozenset(
    (
        "BUILD_LIST BUILD_TUPLE CACHE COPY COPY_FREE_VARS DUP_TOP EXTENDED_ARG IS_OP "
        "JUMP_BACKWARD JUMP_FORWARD KW_NAMES LOAD_ASSERTION_ERROR LOAD_CLOSURE LOAD_CONST "
        "LOAD_FAST LOAD_FAST_AND_CLEAR LOAD_FAST_BORROW LOAD_FAST_BORROW_LOAD_FAST_BORROW "
        "LOAD_FAST_CHECK LOAD_FAST_LOAD_FAST LOAD_SMALL_INT MAKE_CELL MAKE_FUNCTION NOP "
        "NOT_TAKEN POP_EXCEPT POP_JUMP_BACKWARD_IF_NONE POP_JUMP_BACKWARD_IF_NOT_NONE "
        "POP_JUMP_FORWARD_IF_NONE POP_JUMP_FORWARD_IF_NOT_NONE POP_JUMP_IF_NONE "
        "POP_JUMP_IF_NOT_NONE POP_TOP PRECALL PUSH_EXC_INFO PUSH_NULL RERAISE RESUME "
        "RETURN_CONST RETURN_GENERATOR RETURN_VALUE STORE_FAST STORE_FAST_LOAD_FAST "
        "STORE_FAST_STORE_FAST SWAP"
    ).split()
)
"""Instructions about their own frame alone, by the names of CPython 3.11 to 3.14. A conditional
jump is none of them: it may ask a container whether it is empty."""
_FIXED: Final = (type, FunctionType, BuiltinFunctionType, ModuleType)
"""What a global name stands for that nobody binds anew while a store is at work."""


@lru_cache(maxsize=4_096)
def is_stepped(filename: str) -> bool:
    """True for a file in which a worker may be held."""
    if filename.startswith(_HARNESS):
        return False
    return not filename.startswith(_STDLIB) or "site-packages" in filename


_PLACES: Final[dict[tuple[str, CodeType], frozenset[int]]] = {}
"""By file and code: the like code of another file is equal to it."""


def places(frame: FrameType) -> frozenset[int]:
    """The offsets of the instructions of a frame's code that others may notice."""
    code = frame.f_code
    key = code.co_filename, code
    found = _PLACES.get(key)
    if found is None:
        names, client = frame.f_globals, _is_client(code.co_filename)
        found = _PLACES[key] = frozenset(
            instruction.offset
            for instruction in dis.get_instructions(code)
            if (_talks(instruction) if client else _is_noticed(instruction, names))
        )
    return found


@lru_cache(maxsize=4_096)
def _is_client(filename: str) -> bool:
    _, installed, inside = filename.rpartition("site-packages")
    return bool(installed) and inside.replace("\\", "/").split("/")[1] in _CLIENTS


def _talks(instruction: dis.Instruction) -> bool:
    return instruction.opname in ("LOAD_ATTR", "LOAD_METHOD") and instruction.argval in _TALKS


def _is_noticed(instruction: dis.Instruction, names: dict[str, Any]) -> bool:
    return instruction.opname not in _OWN and not _is_fixed(instruction, names)


def _is_fixed(instruction: dis.Instruction, names: dict[str, Any]) -> bool:
    """True for the loading of a class, a function or a module."""
    if instruction.opname != "LOAD_GLOBAL":
        return False
    name = instruction.argval
    return name not in names or isinstance(names[name], _FIXED)
