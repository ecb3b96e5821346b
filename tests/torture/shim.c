/* Watches the file operations of a process below one folder, also those of C++ libraries: counts or records them, lets
 * one of them fail, lets the process group die after one, stops the process after one until it gets SIGCONT, or plays a
 * disk that is full from one on. Loaded with LD_PRELOAD; does nothing before shim_arm(). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { OFF, RECORD, FAIL_ONCE, DIE_AFTER, FULL_FROM, STOP_AFTER };
static char prefix[PATH_MAX];
static int mode = OFF, error_number, log_fd = -1, with_data, with_reads;
static long chosen, counted;
static pid_t armed;

void shim_arm(const char *folder, int how, long number, int error, int log, int data, int reads) {
    snprintf(prefix, sizeof prefix, "%s", folder);
    chosen = number, error_number = error, log_fd = log, with_data = data, with_reads = reads, counted = 0, mode = how;
    armed = getpid();
}

static int ours(const char *path) { return mode != OFF && strncmp(path, prefix, strlen(prefix)) == 0; }

static int of_fd(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, path, PATH_MAX - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return 1;
}

static void absolute(int dir, const char *name, char *path) {
    char base[PATH_MAX] = "";
    if (name[0] != '/') {
        if (dir == AT_FDCWD) syscall(SYS_getcwd, base, sizeof base);
        else of_fd(dir, base);
        while (!strncmp(name, "./", 2)) name += 2;
        snprintf(path, PATH_MAX, "%.2000s/%.2000s", base, name);
    } else snprintf(path, PATH_MAX, "%s", name);
}

static void put(const void *data, size_t size) {
    while (size) {
        ssize_t done = syscall(SYS_write, log_fd, data, size);
        if (done <= 0) return;
        data = (const char *)data + done, size -= done;
    }
}

static void record(const char *op, const char *a, const char *b, long at, const void *data, size_t size) {
    if (log_fd < 0) return;
    static char line[3 * PATH_MAX];
    int length = snprintf(line, sizeof line, "%s\t%s\t%s\t%ld\t%zu\n", op, a, b, at, with_data ? size : 0);
    put(line, length);
    if (with_data) put(data, size);
}

/* Returns the number of an operation, or -1 with errno set if it has to fail. */
static long before(const char *op, int needs_room) {
    long number = __atomic_add_fetch(&counted, 1, __ATOMIC_SEQ_CST);
    (void)op;
    if ((mode == FAIL_ONCE && number == chosen) || (mode == FULL_FROM && number >= chosen && needs_room)) {
        errno = error_number;
        return -1;
    }
    return number;
}

static void after(long number) {
    if (mode == DIE_AFTER && number == chosen) kill(0, SIGKILL);
    /* not those that it has started: they end with it */
    if (mode == STOP_AFTER && number == chosen && getpid() == armed) kill(armed, SIGSTOP);
}

#define REAL(name) __typeof__(&name) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

/* One operation: OP, whether it needs room, the paths, offset and data to record, the call, its type and its failure. */
#define DO(op, room, a, b, at, data, size, type, call, failed)                                                         \
    do {                                                                                                               \
        long number = before(op, room);                                                                                \
        if (number < 0) return failed;                                                                                 \
        type result = call;                                                                                            \
        if (result != (failed)) {                                                                                      \
            int kept = errno;                                                                                          \
            record(op, a, b, at, data, size);                                                                          \
            after(number);                                                                                             \
            errno = kept;                                                                                              \
        }                                                                                                              \
        return result;                                                                                                 \
    } while (0)

/* Which operation an opening is; "" if it is none of ours. */
static const char *opening(const char *path, int flags) {
    if (!ours(path)) return "";
    if (!(flags & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC))) return with_reads ? "read" : "";
    struct stat there;
    if ((flags & O_CREAT) && stat(path, &there) != 0) return "create";
    return flags & O_TRUNC ? "truncate" : "open";
}

static int opens(int (*real)(const char *, int, ...), const char *name, const char *path, int flags, mode_t bits) {
    const char *op = opening(path, flags);
    if (!*op) return real(name, flags, bits);
    DO(op, !strcmp(op, "create"), path, "", 0, "", 0, int, real(name, flags, bits), -1);
}

#define OPEN(function)                                                                                                 \
    int function(const char *name, int flags, ...) {                                                                   \
        REAL(function);                                                                                                \
        va_list rest;                                                                                                  \
        va_start(rest, flags);                                                                                         \
        mode_t bits = flags & (O_CREAT | __O_TMPFILE) ? va_arg(rest, mode_t) : 0;                                      \
        va_end(rest);                                                                                                  \
        if (mode == OFF) return real(name, flags, bits);                                                               \
        char path[PATH_MAX];                                                                                           \
        absolute(AT_FDCWD, name, path);                                                                                \
        return opens((int (*)(const char *, int, ...))real, name, path, flags, bits);                                  \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(function)                                                                                               \
    int function(int dir, const char *name, int flags, ...) {                                                          \
        REAL(function);                                                                                                \
        va_list rest;                                                                                                  \
        va_start(rest, flags);                                                                                         \
        mode_t bits = flags & (O_CREAT | __O_TMPFILE) ? va_arg(rest, mode_t) : 0;                                      \
        va_end(rest);                                                                                                  \
        char path[PATH_MAX] = "";                                                                                      \
        if (mode != OFF) absolute(dir, name, path);                                                                    \
        const char *op = opening(path, flags);                                                                         \
        if (!*op) return real(dir, name, flags, bits);                                                                 \
        DO(op, !strcmp(op, "create"), path, "", 0, "", 0, int, real(dir, name, flags, bits), -1);                      \
    }
OPENAT(openat)
OPENAT(openat64)

#define FOPEN(function)                                                                                                \
    FILE *function(const char *name, const char *how) {                                                                \
        REAL(function);                                                                                                \
        char path[PATH_MAX] = "";                                                                                      \
        if (mode != OFF) absolute(AT_FDCWD, name, path);                                                               \
        if (!ours(path) || !strpbrk(how, "wa+")) return real(name, how);                                               \
        struct stat there;                                                                                             \
        int fresh = stat(path, &there) != 0;                                                                           \
        DO(fresh ? "create" : how[0] == 'w' ? "truncate" : "open", fresh, path, "", 0, "", 0, FILE *, real(name, how), \
           NULL);                                                                                                      \
    }
FOPEN(fopen)
FOPEN(fopen64)

static long place_of(int fd) {
    struct stat there;
    if (fcntl(fd, F_GETFL) & O_APPEND) return fstat(fd, &there) ? 0 : there.st_size;
    return lseek(fd, 0, SEEK_CUR);
}

ssize_t write(int fd, const void *data, size_t size) {
    REAL(write);
    char path[PATH_MAX] = "";
    if (mode == OFF || fd == log_fd || !of_fd(fd, path) || !ours(path)) return real(fd, data, size);
    long at = place_of(fd);
    DO("write", 1, path, "", at, data, size, ssize_t, real(fd, data, size), -1);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    REAL(writev);
    char path[PATH_MAX] = "";
    if (mode == OFF || !of_fd(fd, path) || !ours(path)) return real(fd, parts, count);
    size_t size = 0;
    for (int i = 0; i < count; i++) size += parts[i].iov_len;
    char *data = malloc(size + 1), *end = data;
    for (int i = 0; i < count; i++) end = mempcpy(end, parts[i].iov_base, parts[i].iov_len);
    ssize_t done = write(fd, data, size);
    free(data);
    return done;
}

#define PWRITE(function)                                                                                               \
    ssize_t function(int fd, const void *data, size_t size, off_t at) {                                                \
        REAL(function);                                                                                                \
        char path[PATH_MAX] = "";                                                                                      \
        if (mode == OFF || !of_fd(fd, path) || !ours(path)) return real(fd, data, size, at);                           \
        DO("write", 1, path, "", at, data, size, ssize_t, real(fd, data, size, at), -1);                               \
    }
PWRITE(pwrite)
PWRITE(pwrite64)

#define OF_FD(function, op, room, at, declared, given)                                                                 \
    int function declared {                                                                                            \
        REAL(function);                                                                                                \
        char path[PATH_MAX] = "";                                                                                      \
        if (mode == OFF || !of_fd(fd, path) || !ours(path)) return real given;                                         \
        DO(op, room, path, "", at, "", 0, int, real given, -1);                                                        \
    }
OF_FD(fsync, "fsync", 0, 0, (int fd), (fd))
OF_FD(fdatasync, "fsync", 0, 0, (int fd), (fd))
OF_FD(ftruncate, "resize", 1, size, (int fd, off_t size), (fd, size))
OF_FD(ftruncate64, "resize", 1, size, (int fd, off_t size), (fd, size))

#define ALLOCATE(function)                                                                                             \
    int function(int fd, off_t from, off_t size) {                                                                     \
        REAL(function);                                                                                                \
        char path[PATH_MAX] = "";                                                                                      \
        if (mode == OFF || !of_fd(fd, path) || !ours(path)) return real(fd, from, size);                               \
        long number = before("allocate", 1);                                                                           \
        if (number < 0) return error_number;                                                                           \
        int result = real(fd, from, size);                                                                             \
        after(number);                                                                                                 \
        return result;                                                                                                 \
    }
ALLOCATE(posix_fallocate)
ALLOCATE(posix_fallocate64)

#define OF_PATH(function, op, room, declared, dir, given)                                                              \
    int function declared {                                                                                            \
        REAL(function);                                                                                                \
        char path[PATH_MAX] = "";                                                                                      \
        if (mode != OFF) absolute(dir, name, path);                                                                    \
        if (!ours(path)) return real given;                                                                            \
        DO(op, room, path, "", 0, "", 0, int, real given, -1);                                                         \
    }
OF_PATH(mkdir, "mkdir", 1, (const char *name, mode_t bits), AT_FDCWD, (name, bits))
OF_PATH(mkdirat, "mkdir", 1, (int dir, const char *name, mode_t bits), dir, (dir, name, bits))
OF_PATH(unlink, "unlink", 0, (const char *name), AT_FDCWD, (name))
OF_PATH(rmdir, "rmdir", 0, (const char *name), AT_FDCWD, (name))
OF_PATH(unlinkat, flags & AT_REMOVEDIR ? "rmdir" : "unlink", 0, (int dir, const char *name, int flags), dir,
        (dir, name, flags))

#define OF_TWO(function, op, room, declared, dir_a, dir_b, given)                                                      \
    int function declared {                                                                                            \
        REAL(function);                                                                                                \
        char from[PATH_MAX] = "", path[PATH_MAX] = "";                                                                 \
        if (mode != OFF) absolute(dir_a, a, from), absolute(dir_b, b, path);                                           \
        if (!ours(path)) return real given;                                                                            \
        DO(op, room, from, path, 0, "", 0, int, real given, -1);                                                       \
    }
OF_TWO(rename, "rename", 0, (const char *a, const char *b), AT_FDCWD, AT_FDCWD, (a, b))
OF_TWO(renameat, "rename", 0, (int x, const char *a, int y, const char *b), x, y, (x, a, y, b))
OF_TWO(link, "link", 1, (const char *a, const char *b), AT_FDCWD, AT_FDCWD, (a, b))
OF_TWO(linkat, "link", 1, (int x, const char *a, int y, const char *b, int flags), x, y, (x, a, y, b, flags))

long shim_counted(void) { return counted; }
