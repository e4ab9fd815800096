"""The machine code of `clock.S`, instruction by instruction, and where its parts begin.

`clock.S` tells what it does and why; a test assembles it and compares, where `as` is installed.
"""

from __future__ import annotations

from typing import Final

# fmt: off
_CODE: Final = (
    # clock_gettime:
    "b8 e4 00 00 00",  # mov eax, 228
    "0f 05",  # syscall
    "85 c0",  # test eax, eax
    "75 55",  # jnz 9f
    "83 ff 0b",  # cmp edi, 11
    "77 50",  # ja 9f
    "45 31 c0",  # xor r8d, r8d
    "b8 21 09 00 00",  # mov eax, 0x921
    "0f a3 f8",  # bt eax, edi
    "72 10",  # jc 1f
    "41 b8 08 00 00 00",  # mov r8d, 8
    "b8 d2 02 00 00",  # mov eax, 0x2d2
    "0f a3 f8",  # bt eax, edi
    "73 31",  # jnc 8f
    "4c 03 05 b4 00 00 00",  # add r8, [rip + current]
    "48 8d 0d b5 00 00 00",  # lea rcx, [rip + slots]
    "4a 8b 04 01",  # mov rax, [rcx + r8]
    "48 69 16 00 ca 9a 3b",  # imul rdx, [rsi], 1000000000
    "48 01 d0",  # add rax, rdx
    "48 03 46 08",  # add rax, [rsi + 8]
    "48 99",  # cqo
    "b9 00 ca 9a 3b",  # mov ecx, 1000000000
    "48 f7 f9",  # idiv rcx
    "48 89 06",  # mov [rsi], rax
    "48 89 56 08",  # mov [rsi + 8], rdx
    "31 c0",  # xor eax, eax
    "c3",  # ret
    b"\xcc" * 15,  # .balign 16
    # gettimeofday:
    "48 85 f6",  # test rsi, rsi
    "74 07",  # jz 1f
    "48 c7 06 00 00 00 00",  # mov qword ptr [rsi], 0
    "48 85 ff",  # test rdi, rdi
    "74 1e",  # jz 2f
    "57",  # push rdi
    "48 89 fe",  # mov rsi, rdi
    "31 ff",  # xor edi, edi
    "e8 74 ff ff ff",  # call clock_gettime
    "5f",  # pop rdi
    "48 8b 47 08",  # mov rax, [rdi + 8]
    "31 d2",  # xor edx, edx
    "b9 e8 03 00 00",  # mov ecx, 1000
    "48 f7 f1",  # div rcx
    "48 89 47 08",  # mov [rdi + 8], rax
    "31 c0",  # xor eax, eax
    "c3",  # ret
    b"\xcc" * 14,  # .balign 16
    # time:
    "57",  # push rdi
    "48 83 ec 10",  # sub rsp, 16
    "48 89 e6",  # mov rsi, rsp
    "31 ff",  # xor edi, edi
    "e8 41 ff ff ff",  # call clock_gettime
    "48 8b 04 24",  # mov rax, [rsp]
    "48 83 c4 10",  # add rsp, 16
    "5f",  # pop rdi
    "48 85 ff",  # test rdi, rdi
    "74 03",  # jz 1f
    "48 89 07",  # mov [rdi], rax
    "c3",  # ret
    b"\xcc" * 15,  # .balign 16
    # mark:
    "6b 76 63 6c 6f 63 6b 31",  # mark: "kvclock1"
    # current:
    "00 00 00 00 00 00 00 00",  # .quad 0
    # slots:
    bytes(16),  # .quad 0, 0
    bytes(16),  # .quad 0, 0
)
# fmt: on

CODE: Final = b"".join(bytes.fromhex(part) if isinstance(part, str) else part for part in _CODE)
"""What is written over __vdso_clock_gettime, its data included."""

GETTIMEOFDAY: Final = 0x70
TIME: Final = 0xB0
"""Where in `CODE` the other two functions begin."""
MARK: Final = 0xE0
"""Where the eight bytes begin by which a patched vDSO is known; `slots.py` tells what follows."""
