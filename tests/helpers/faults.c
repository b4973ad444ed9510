/* System calls that fail on request, preloaded in front of the C library.
 *
 * `fault_arm` chooses a kind of call below a folder and which call of it fails, with what errno;
 * sticky faults also fail all later calls, and a write then stops half way, as on a full disk.
 * `fault_disarm` returns how often the fault struck. Writers in C and Rust meet it as well.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static char root[PATH_MAX];
static char kind[32];
static long remaining, struck;
static int number, sticky;

void fault_arm(const char *folder, const char *which, long nth, int error, int all_later) {
    snprintf(root, sizeof root, "%s/", folder);
    snprintf(kind, sizeof kind, "%s", which);
    remaining = nth;
    struck = 0;
    number = error;
    sticky = all_later;
}

long fault_disarm(void) {
    root[0] = 0;
    return struck;
}

static int below(int folder, const char *path) {
    char full[2 * PATH_MAX], link[64], base[PATH_MAX] = "";
    if (path[0] == '/') {
        snprintf(full, sizeof full, "%s/", path);
    } else {
        snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
        ssize_t n = readlink(folder == AT_FDCWD ? "/proc/self/cwd" : link, base, sizeof base - 1);
        base[n > 0 ? n : 0] = 0;
        snprintf(full, sizeof full, "%s/%s/", base, path);
    }
    return strncmp(full, root, strlen(root)) == 0;
}

static int strikes(const char *which, int folder, const char *path) {
    if (!root[0] || strcmp(which, kind) || !below(folder, path)) return 0;
    remaining--;
    if (remaining > 0 || (remaining < 0 && !sticky)) return 0;
    struck++;
    errno = number;
    return 1;
}

static int strikes_file(const char *which, int file) {
    char link[64], path[PATH_MAX];
    int before = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t n = root[0] ? readlink(link, path, sizeof path - 1) : -1;
    errno = before;
    if (n <= 0 || path[0] != '/') return 0;
    path[n] = 0;
    return strikes(which, AT_FDCWD, path);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define OPEN(name)                                                  \
    int name(const char *path, int flags, ...) {                    \
        va_list rest;                                               \
        va_start(rest, flags);                                      \
        mode_t mode = va_arg(rest, mode_t);                         \
        va_end(rest);                                               \
        if (strikes("open", AT_FDCWD, path)) return -1;             \
        return REAL(name)(path, flags, mode);                       \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                \
    int name(int folder, const char *path, int flags, ...) {        \
        va_list rest;                                               \
        va_start(rest, flags);                                      \
        mode_t mode = va_arg(rest, mode_t);                         \
        va_end(rest);                                               \
        if (strikes("open", folder, path)) return -1;               \
        return REAL(name)(folder, path, flags, mode);               \
    }
OPENAT(openat)
OPENAT(openat64)

ssize_t write(int file, const void *content, size_t size) {
    if (strikes_file("write", file)) {
        if (!sticky || struck > 1 || size < 2) return -1;
        return REAL(write)(file, content, size / 2);
    }
    return REAL(write)(file, content, size);
}

ssize_t writev(int file, const struct iovec *parts, int count) {
    return strikes_file("write", file) ? -1 : REAL(writev)(file, parts, count);
}

ssize_t pwrite64(int file, const void *content, size_t size, off64_t offset) {
    return strikes_file("write", file) ? -1 : REAL(pwrite64)(file, content, size, offset);
}

int ftruncate64(int file, off64_t size) {
    return strikes_file("truncate", file) ? -1 : REAL(ftruncate64)(file, size);
}

int fsync(int file) { return strikes_file("fsync", file) ? -1 : REAL(fsync)(file); }

int fdatasync(int file) { return strikes_file("fsync", file) ? -1 : REAL(fdatasync)(file); }

int syncfs(int file) { return strikes_file("fsync", file) ? -1 : REAL(syncfs)(file); }

int rename(const char *from, const char *to) {
    return strikes("rename", AT_FDCWD, to) ? -1 : REAL(rename)(from, to);
}

int renameat(int a, const char *from, int b, const char *to) {
    return strikes("rename", b, to) ? -1 : REAL(renameat)(a, from, b, to);
}

int renameat2(int a, const char *from, int b, const char *to, unsigned flags) {
    return strikes("rename", b, to) ? -1 : REAL(renameat2)(a, from, b, to, flags);
}

int unlink(const char *path) {
    return strikes("unlink", AT_FDCWD, path) ? -1 : REAL(unlink)(path);
}

int unlinkat(int folder, const char *path, int flags) {
    return strikes("unlink", folder, path) ? -1 : REAL(unlinkat)(folder, path, flags);
}

int rmdir(const char *path) {
    return strikes("unlink", AT_FDCWD, path) ? -1 : REAL(rmdir)(path);
}

int mkdir(const char *path, mode_t mode) {
    return strikes("mkdir", AT_FDCWD, path) ? -1 : REAL(mkdir)(path, mode);
}
