/* Moves the clocks of a process, and of all that it starts, by the offsets in a file.
 *
 * Loaded by LD_PRELOAD on Linux, whatever the processor. KV_CLOCK_FILE names the file; its layout
 * is told in keeper/slots.py. Time is asked of the kernel itself and not of the next library:
 * an allocator may ask for the time before symbols can be looked up.
 *
 * A wait for a point in time is given to the kernel in the kernel's time: a lock that times out
 * in a second does so, however far the clocks are ahead.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000LL

struct slots {
    volatile uint64_t current; /* 0 or 16: where in `offsets` the slot in force begins */
    volatile int64_t offsets[2][2];
};

static struct slots unmoved;
static struct slots *slots = &unmoved;

__attribute__((constructor)) static void open_slots(void) {
    const char *path = getenv("KV_CLOCK_FILE");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0)
        return;
    void *found = mmap(0, sizeof *slots, PROT_READ, MAP_SHARED, file, 0);
    close(file);
    if (found != MAP_FAILED)
        slots = found;
}

/* The nanoseconds by which a clock is ahead; 0 for those of a process or a device. */
static int64_t ahead(clockid_t clock) {
    int64_t volatile *slot = slots->offsets[slots->current / 16 & 1];
    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_REALTIME_ALARM:
    case CLOCK_TAI:
        return slot[0];
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME:
    case CLOCK_BOOTTIME_ALARM:
        return slot[1];
    }
    return 0;
}

static struct timespec moved(struct timespec time, int64_t offset) {
    time.tv_sec += offset / SECOND;
    time.tv_nsec += offset % SECOND;
    if (time.tv_nsec >= SECOND) {
        time.tv_nsec -= SECOND;
        time.tv_sec++;
    }
    if (time.tv_nsec < 0) {
        time.tv_nsec += SECOND;
        time.tv_sec--;
    }
    return time;
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    if (syscall(SYS_clock_gettime, clock, time))
        return -1;
    *time = moved(*time, ahead(clock));
    return 0;
}

time_t time(time_t *out) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out)
        *out = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
    struct timespec now;
    if (zone)
        *(struct timezone *)zone = (struct timezone){0};
    clock_gettime(CLOCK_REALTIME, &now);
    struct timeval *volatile out = time; /* declared never to be null, and null in old programs */
    if (out)
        *out = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
    return 0;
}

int timespec_get(struct timespec *time, int base) {
    return base == TIME_UTC && !clock_gettime(CLOCK_REALTIME, time) ? base : 0;
}

/* A point in time as the kernel counts it, where a negative one is an error. */
static struct timespec due(clockid_t clock, const struct timespec *time) {
    struct timespec point = moved(*time, -ahead(clock));
    return point.tv_sec < 0 ? (struct timespec){0} : point;
}

/* The clock of a condition is hidden in it; the point is near the time of one of the two. */
static clockid_t nearest(const struct timespec *time) {
    struct timespec real, monotonic;
    clock_gettime(CLOCK_REALTIME, &real);
    clock_gettime(CLOCK_MONOTONIC, &monotonic);
    return llabs((long long)time->tv_sec - real.tv_sec) <
                   llabs((long long)time->tv_sec - monotonic.tv_sec)
               ? CLOCK_REALTIME
               : CLOCK_MONOTONIC;
}

/* Without a version glibc finds the oldest function of a name, with another kind of condition. */
static void *next(const char *name, const char *version) {
    void *found = dlvsym(RTLD_NEXT, name, version);
    return found ? found : dlsym(RTLD_NEXT, name);
}

#define NEXT(name, version, failed)                                                                \
    static __typeof__(&name) real;                                                                 \
    if (!real && !(real = (__typeof__(&name))next(#name, version)))                                \
        return failed;

int pthread_cond_timedwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex,
                           const struct timespec *restrict time) {
    NEXT(pthread_cond_timedwait, "GLIBC_2.3.2", ENOSYS)
    struct timespec point = due(nearest(time), time);
    return real(condition, mutex, &point);
}

int pthread_cond_clockwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex,
                           clockid_t clock, const struct timespec *restrict time) {
    NEXT(pthread_cond_clockwait, "GLIBC_2.30", ENOSYS)
    struct timespec point = due(clock, time);
    return real(condition, mutex, clock, &point);
}

int pthread_mutex_timedlock(pthread_mutex_t *restrict mutex, const struct timespec *restrict time) {
    NEXT(pthread_mutex_timedlock, "GLIBC_2.34", ENOSYS)
    struct timespec point = due(CLOCK_REALTIME, time);
    return real(mutex, &point);
}

int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict time) {
    NEXT(sem_timedwait, "GLIBC_2.34", (errno = ENOSYS, -1))
    struct timespec point = due(CLOCK_REALTIME, time);
    return real(semaphore, &point);
}
