# What takes the place of the clock functions in a process's own copy of the vDSO (Linux, x86-64).
#
# The first function is written over __vdso_clock_gettime; jumps to the two others are written over
# __vdso_gettimeofday and __vdso_time. They answer with the kernel's time, moved by an offset that
# another process writes into the data at the end. They call nobody, use only registers that a
# caller expects to lose, and need 24 bytes of stack beside return addresses.
#
#     as clock.S -o clock.o && objcopy -O binary -j .text clock.o clock.bin
#
# machine_code.py holds the result; a test compares the two where `as` is installed.

        .intel_syntax noprefix
        .text

clock_gettime:                          # edi: clock, rsi: struct timespec *; eax: 0, or -errno
        mov     eax, 228                # SYS_clock_gettime: first, what time it is
        syscall                         # changes rax, rcx and r11 only
        test    eax, eax
        jnz     9f                      # an error is the caller's: pass it on
        cmp     edi, 11
        ja      9f                      # CPU time of a process, a device: not ours (eax is 0)
        xor     r8d, r8d                # realtime is the first number of a slot
        mov     eax, 0x921              # REALTIME 0, _COARSE 5, _ALARM 8, TAI 11
        bt      eax, edi
        jc      1f
        mov     r8d, 8                  # monotonic is the second
        mov     eax, 0x2d2              # MONOTONIC 1, _RAW 4, _COARSE 6, BOOTTIME 7, _ALARM 9
        bt      eax, edi
        jnc     8f                      # CPU time 2 and 3: as the kernel says
1:      add     r8, [rip + current]     # both numbers from the slot in force, hence of one move
        lea     rcx, [rip + slots]
        mov     rax, [rcx + r8]         # the offset in nanoseconds
        imul    rdx, [rsi], 1000000000  # seconds, as nanoseconds
        add     rax, rdx
        add     rax, [rsi + 8]
        cqo                             # 64 bits of nanoseconds last until the year 2262
        mov     ecx, 1000000000
        idiv    rcx
        mov     [rsi], rax              # seconds
        mov     [rsi + 8], rdx          # and the rest
8:      xor     eax, eax                # success
9:      ret

        .balign 16, 0xcc            # int3: nobody comes here
gettimeofday:                           # rdi: struct timeval *, rsi: struct timezone *; eax: 0
        test    rsi, rsi
        jz      1f
        mov     qword ptr [rsi], 0      # Linux has no time zone to tell
1:      test    rdi, rdi
        jz      2f                      # not asked for the time
        push    rdi
        mov     rsi, rdi                # a timeval is as large as a timespec
        xor     edi, edi                # REALTIME
        call    clock_gettime
        pop     rdi
        mov     rax, [rdi + 8]          # nanoseconds
        xor     edx, edx
        mov     ecx, 1000
        div     rcx
        mov     [rdi + 8], rax          # microseconds
2:      xor     eax, eax                # success
        ret

        .balign 16, 0xcc            # int3: nobody comes here
time:                                   # rdi: time_t *, or 0; rax: seconds since 1970
        push    rdi
        sub     rsp, 16                 # room for a timespec
        mov     rsi, rsp
        xor     edi, edi                # REALTIME
        call    clock_gettime
        mov     rax, [rsp]              # seconds
        add     rsp, 16
        pop     rdi
        test    rdi, rdi
        jz      1f
        mov     [rdi], rax              # the caller wants them there as well
1:      ret

        .balign 16, 0xcc            # int3: nobody comes here
mark:   .ascii  "kvclock1"              # by this a patched vDSO is known
current:
        .quad   0                       # where in `slots` the slot in force begins: 0 or 16
slots:  .quad   0, 0                    # nanoseconds added to realtime, and to monotonic time
        .quad   0, 0                    # the other slot: filled first, then put in force
