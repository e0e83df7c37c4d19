// Preloaded into the programs under test: sees each call that changes a folder, numbers it across processes, and records it, fails it, or kills its caller there.
//
// SEALANE_FS_ROOT     absolute path of the folder; calls elsewhere pass unseen
// SEALANE_FS_CONTROL  a file of 4096 zero bytes shared by all processes: the number of calls so far, a lock, and what the fault met
// SEALANE_FS_LOG      where to record what was done, with its bytes; calls are done one after the other then, in the order of the log
// SEALANE_FS_FAULT    kill | torn | short | EIO | ENOSPC | full, at the call SEALANE_FS_AT (from 1). torn: half of a write is done, then SIGKILL;
//                     short: half of a write is done, and it says so; full: ENOSPC from that call on
//
// Build: cc -shared -fPIC -O1 -o fs-points.so fs-points.c
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

struct control {
  atomic_ulong calls;
  atomic_int lock;
  char met[1024];
};

enum fault { NONE, KILL, TORN, SHORT, FAIL, FULL };

static struct control *control;
static char root[PATH_MAX];
static size_t root_length;
static int log_file = -1;
static enum fault fault;
static int fault_errno;
static unsigned long fault_at;

static ssize_t (*real_write)(int, const void *, size_t);
static int (*real_open)(const char *, int, ...);

// Whether a call may answer that the disk is full.
enum space { TAKES_SPACE, GIVES_SPACE };
enum verdict { GO_ON, FAILED, HALF };

__attribute__((constructor)) static void start(void) {
  real_write = dlsym(RTLD_NEXT, "write");
  real_open = dlsym(RTLD_NEXT, "open64");
  const char *folder = getenv("SEALANE_FS_ROOT"), *shared = getenv("SEALANE_FS_CONTROL"), *log = getenv("SEALANE_FS_LOG"), *what = getenv("SEALANE_FS_FAULT"),
             *at = getenv("SEALANE_FS_AT");
  if (folder == NULL || shared == NULL) return;
  int file = real_open(shared, O_RDWR | O_CLOEXEC);
  if (file < 0) return;
  void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (memory == MAP_FAILED) return;
  snprintf(root, sizeof root, "%s", folder);
  root_length = strlen(root);
  if (log != NULL) log_file = real_open(log, O_WRONLY | O_APPEND | O_CLOEXEC);
  if (what != NULL && at != NULL) {
    fault_at = strtoul(at, NULL, 10);
    fault = strcmp(what, "kill") == 0 ? KILL : strcmp(what, "torn") == 0 ? TORN : strcmp(what, "short") == 0 ? SHORT : strcmp(what, "full") == 0 ? FULL : FAIL;
    fault_errno = strcmp(what, "EIO") == 0 ? EIO : ENOSPC;
  }
  control = memory;
}

static int is_below(const char *path) {
  return strncmp(path, root, root_length) == 0 && (path[root_length] == '/' || path[root_length] == '\0');
}

// The absolute path of a name, if it lies in the folder.
static int path_of_name(int folder, const char *name, char *path) {
  if (control == NULL || name == NULL) return 0;
  if (name[0] == '/') snprintf(path, PATH_MAX, "%s", name);
  else {
    char at[64], base[PATH_MAX];
    ssize_t length;
    if (folder == AT_FDCWD) {
      if (getcwd(base, sizeof base) == NULL) return 0;
    } else {
      snprintf(at, sizeof at, "/proc/self/fd/%d", folder);
      if ((length = readlink(at, base, sizeof base - 1)) < 0) return 0;
      base[length] = '\0';
    }
    snprintf(path, PATH_MAX, "%.2000s/%.2000s", base, name);
  }
  return is_below(path);
}

static int path_of_file(int file, char *path) {
  if (control == NULL) return 0;
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  ssize_t length = readlink(link, path, PATH_MAX - 1);
  if (length < 0) return 0;
  path[length] = '\0';
  return is_below(path);
}

static void lock(void) {
  if (log_file < 0) return;
  while (atomic_exchange(&control->lock, 1) != 0) usleep(20);
}

static void unlock(void) {
  if (log_file >= 0) atomic_store(&control->lock, 0);
}

// One record: 4 bytes length of the words, the words separated by tabs, 4 bytes length of the data, the data.
static void record(const struct iovec *data, int count, size_t size, const char *format, ...) {
  if (log_file < 0) return;
  char words[3 * PATH_MAX];
  va_list list;
  va_start(list, format);
  unsigned length = vsnprintf(words, sizeof words, format, list);
  va_end(list);
  unsigned data_length = size;
  struct iovec parts[1024] = {{&length, 4}, {words, length}, {&data_length, 4}};
  int used = 3;
  for (int at = 0; at < count && size > 0; at += 1) {
    size_t part = data[at].iov_len < size ? data[at].iov_len : size;
    parts[used++] = (struct iovec){data[at].iov_base, part};
    size -= part;
  }
  static ssize_t (*real)(int, const struct iovec *, int);
  if (real == NULL) real = dlsym(RTLD_NEXT, "writev");
  if (real(log_file, parts, used) < 0) abort();
}

// Counts a call; the fault that is meant for it happens here.
static enum verdict enter(const char *call, const char *path, enum space space, size_t bytes) {
  lock();
  unsigned long number = atomic_fetch_add(&control->calls, 1) + 1;
  if (fault == NONE || number < fault_at || (number > fault_at && fault != FULL)) return GO_ON;
  if (number == fault_at) snprintf(control->met, sizeof control->met, "%s %.900s", call, path + root_length);
  switch (fault) {
    case KILL:
      kill(getpid(), SIGKILL);
      for (;;) pause();
    case TORN:
    case SHORT:
      if (bytes > 1) return HALF;
      if (fault == SHORT) return GO_ON;
      kill(getpid(), SIGKILL);
      for (;;) pause();
    case FULL:
    case FAIL:
      if (fault_errno == ENOSPC && space == GIVES_SPACE) return GO_ON;
      errno = fault_errno;
      return FAILED;
    default:
      return GO_ON;
  }
}

static void leave(enum verdict verdict) {
  if (verdict == HALF && fault == TORN) kill(getpid(), SIGKILL);
  int saved = errno;
  unlock();
  errno = saved;
}

static unsigned long inode_of(const char *path) {
  struct stat status;
  return lstat(path, &status) == 0 ? status.st_ino : 0;
}

static unsigned long inode_of_file(int file) {
  struct stat status;
  return fstat(file, &status) == 0 ? status.st_ino : 0;
}

#define REAL(name, type, ...) \
  static type (*real)(__VA_ARGS__); \
  if (real == NULL) real = dlsym(RTLD_NEXT, #name)

// A call that takes effect as a whole: done, recorded when it worked.
#define WHOLE(call, path, space, result, done, ...) \
  do { \
    enum verdict verdict = enter(call, path, space, 0); \
    if (verdict == FAILED) { \
      leave(verdict); \
      return -1; \
    } \
    result = done; \
    if (result >= 0) record(NULL, 0, 0, __VA_ARGS__); \
    else record(NULL, 0, 0, "nothing\t%s", call); \
    leave(verdict); \
  } while (0)

static int opened(int folder, const char *name, int flags, mode_t mode, int (*real)(int, const char *, int, ...)) {
  char path[PATH_MAX];
  struct stat status;
  if ((flags & (O_CREAT | O_TRUNC)) == 0 || !path_of_name(folder, name, path)) return real(folder, name, flags, mode);
  int exists = fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0;
  if (exists && (flags & O_EXCL) != 0) return real(folder, name, flags, mode);
  if (exists && (flags & O_TRUNC) == 0) return real(folder, name, flags, mode);
  enum verdict verdict = enter(exists ? "open(O_TRUNC)" : "open(O_CREAT)", path, exists ? GIVES_SPACE : TAKES_SPACE, 0);
  if (verdict == FAILED) {
    leave(verdict);
    return -1;
  }
  int file = real(folder, name, flags, mode);
  if (file >= 0) {
    fstat(file, &status);
    if (exists) record(NULL, 0, 0, "truncate\t%lu\t0", status.st_ino);
    else record(NULL, 0, 0, "create\t%s\t%lu\t%o", path, status.st_ino, status.st_mode & 07777);
  } else record(NULL, 0, 0, "nothing\topen");
  leave(verdict);
  return file;
}

static int at_openat(int folder, const char *name, int flags, ...) {
  REAL(openat64, int, int, const char *, int, ...);
  va_list list;
  va_start(list, flags);
  mode_t mode = va_arg(list, mode_t);
  va_end(list);
  return real(folder, name, flags, mode);
}

#define OPEN(name) \
  int name(const char *path, int flags, ...) { \
    va_list list; \
    va_start(list, flags); \
    mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(list, mode_t) : 0; \
    va_end(list); \
    return opened(AT_FDCWD, path, flags, mode, at_openat); \
  }
#define OPENAT(name) \
  int name(int folder, const char *path, int flags, ...) { \
    va_list list; \
    va_start(list, flags); \
    mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(list, mode_t) : 0; \
    va_end(list); \
    return opened(folder, path, flags, mode, at_openat); \
  }
OPEN(open)
OPEN(open64)

static ssize_t written(int file, const struct iovec *data, int count, off_t offset, int is_at) {
  static ssize_t (*plain)(int, const struct iovec *, int);
  static ssize_t (*placed)(int, const struct iovec *, int, off_t);
  if (plain == NULL) {
    placed = dlsym(RTLD_NEXT, "pwritev64");
    plain = dlsym(RTLD_NEXT, "writev");
  }
  char path[PATH_MAX];
  if (!path_of_file(file, path)) return is_at ? placed(file, data, count, offset) : plain(file, data, count);
  size_t bytes = 0;
  for (int at = 0; at < count; at += 1) bytes += data[at].iov_len;
  enum verdict verdict = enter("write", path, TAKES_SPACE, bytes);
  if (verdict == FAILED) {
    leave(verdict);
    return -1;
  }
  struct iovec half = {data[0].iov_base, data[0].iov_len > 1 ? data[0].iov_len / 2 : data[0].iov_len};
  const struct iovec *parts = verdict == HALF ? &half : data;
  int used = verdict == HALF ? 1 : count;
  struct stat status;
  fstat(file, &status);
  off_t from = is_at ? offset : (fcntl(file, F_GETFL) & O_APPEND) != 0 ? status.st_size : lseek(file, 0, SEEK_CUR);
  ssize_t done = is_at ? placed(file, parts, used, offset) : plain(file, parts, used);
  if (done > 0) record(parts, used, done, "write\t%lu\t%ld", status.st_ino, (long)from);
  else record(NULL, 0, 0, "nothing\twrite");
  leave(verdict);
  return done;
}

ssize_t write(int file, const void *data, size_t size) {
  struct iovec part = {(void *)data, size};
  return written(file, &part, 1, 0, 0);
}
ssize_t writev(int file, const struct iovec *data, int count) { return written(file, data, count, 0, 0); }
ssize_t pwrite64(int file, const void *data, size_t size, off_t offset) {
  struct iovec part = {(void *)data, size};
  return written(file, &part, 1, offset, 1);
}
ssize_t pwritev64(int file, const struct iovec *data, int count, off_t offset) { return written(file, data, count, offset, 1); }

int ftruncate64(int file, off_t size) {
  REAL(ftruncate64, int, int, off_t);
  char path[PATH_MAX];
  if (!path_of_file(file, path)) return real(file, size);
  int result;
  WHOLE("ftruncate", path, GIVES_SPACE, result, real(file, size), "truncate\t%lu\t%ld", inode_of_file(file), (long)size);
  return result;
}

#define SYNC(name) \
  int name(int file) { \
    REAL(name, int, int); \
    char path[PATH_MAX]; \
    if (!path_of_file(file, path)) return real(file); \
    int result; \
    WHOLE(#name, path, TAKES_SPACE, result, real(file), "fsync\t%lu\t%s", inode_of_file(file), path); \
    return result; \
  }
SYNC(fsync)
SYNC(fdatasync)

// Flushes all that was done before, in the folder and elsewhere.
int syncfs(int file) {
  REAL(syncfs, int, int);
  char path[PATH_MAX];
  if (!path_of_file(file, path)) return real(file);
  int result;
  WHOLE("syncfs", path, TAKES_SPACE, result, real(file), "syncfs\t%s", path);
  return result;
}

int rename(const char *from, const char *to) {
  REAL(rename, int, const char *, const char *);
  char old[PATH_MAX], new[PATH_MAX];
  if (!path_of_name(AT_FDCWD, from, old) || !path_of_name(AT_FDCWD, to, new)) return real(from, to);
  int result;
  WHOLE("rename", new, TAKES_SPACE, result, real(from, to), "rename\t%s\t%s", old, new);
  return result;
}

int link(const char *from, const char *to) {
  REAL(link, int, const char *, const char *);
  char old[PATH_MAX], new[PATH_MAX];
  if (!path_of_name(AT_FDCWD, from, old) || !path_of_name(AT_FDCWD, to, new)) return real(from, to);
  int result;
  WHOLE("link", new, TAKES_SPACE, result, real(from, to), "link\t%s\t%s", old, new);
  return result;
}

int symlink(const char *target, const char *name) {
  REAL(symlink, int, const char *, const char *);
  char path[PATH_MAX];
  if (!path_of_name(AT_FDCWD, name, path)) return real(target, name);
  int result;
  WHOLE("symlink", path, TAKES_SPACE, result, real(target, name), "symlink\t%s\t%s\t%lu", target, path, inode_of(path));
  return result;
}

int mkdir(const char *name, mode_t mode) {
  REAL(mkdir, int, const char *, mode_t);
  char path[PATH_MAX];
  struct stat status;
  // one that is there is an error that changes nothing
  if (!path_of_name(AT_FDCWD, name, path) || lstat(path, &status) == 0) return real(name, mode);
  int result;
  WHOLE("mkdir", path, TAKES_SPACE, result, real(name, mode), "mkdir\t%s\t%lu", path, inode_of(path));
  return result;
}

static int removed(int folder, const char *name, int flags, const char *call) {
  REAL(unlinkat, int, int, const char *, int);
  char path[PATH_MAX];
  struct stat status;
  // nothing there, or a folder where a file is meant: an error that changes nothing
  if (!path_of_name(folder, name, path) || lstat(path, &status) != 0 || (S_ISDIR(status.st_mode) && flags == 0)) return real(folder, name, flags);
  int result;
  WHOLE(call, path, GIVES_SPACE, result, real(folder, name, flags), "%s\t%s", flags == AT_REMOVEDIR ? "rmdir" : "unlink", path);
  return result;
}
int unlink(const char *name) { return removed(AT_FDCWD, name, 0, "unlink"); }
int rmdir(const char *name) { return removed(AT_FDCWD, name, AT_REMOVEDIR, "rmdir"); }
int unlinkat(int folder, const char *name, int flags) { return removed(folder, name, flags, flags == AT_REMOVEDIR ? "rmdir" : "unlink"); }

int chmod(const char *name, mode_t mode) {
  REAL(chmod, int, const char *, mode_t);
  char path[PATH_MAX];
  if (!path_of_name(AT_FDCWD, name, path)) return real(name, mode);
  int result;
  WHOLE("chmod", path, GIVES_SPACE, result, real(name, mode), "chmod\t%lu\t%o", inode_of(path), mode);
  return result;
}

int fchmod(int file, mode_t mode) {
  REAL(fchmod, int, int, mode_t);
  char path[PATH_MAX];
  if (!path_of_file(file, path)) return real(file, mode);
  int result;
  WHOLE("fchmod", path, GIVES_SPACE, result, real(file, mode), "chmod\t%lu\t%o", inode_of_file(file), mode);
  return result;
}

OPENAT(openat)
OPENAT(openat64)
