/*
 * Mapped files that shrink under us. Reading a page that its file no longer has, or that its disk
 * cannot give, is SIGBUS, which would end the process. Ranges that are watched here read as zeros
 * from that page to their end instead, and are marked: whoever reads them looks at the mark before
 * it uses what it made of them. All other faults go to the handler that was there before, which is
 * the JVM's.
 *
 * The handler does nothing but mmap, whose system call is safe there, and leaves no trace in the
 * interrupted code: kernels need no exit of their own, and Java's reads are covered with them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define EXPORTED __attribute__((visibility("default")))
#define RANGES 4096

/* In use while end is not 0; begin is valid as long as end is. */
struct range {
  _Atomic uintptr_t begin, end;
  _Atomic int lost;
};

static struct range ranges[RANGES];
static _Atomic int used; /* ranges from here on were never in use */
static _Atomic long losses;
static uintptr_t page;
static struct sigaction before;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int installed;

/* Whether the address was in a watched range, which can now be read. */
static int mend(uintptr_t at) {
  for (int i = 0; i < used; i++) {
    struct range *r = &ranges[i];
    uintptr_t end = r->end;
    if (at < end && at >= r->begin) {
      uintptr_t from = at & ~(page - 1);
      r->lost = 1; /* before anyone can read a zero */
      losses++;
      return mmap((void *)from, end - from, PROT_READ,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0) != MAP_FAILED;
    }
  }
  return 0;
}

static void on_bus_error(int signal, siginfo_t *info, void *context) {
  int error = errno;
  int mended = info->si_code > 0 && mend((uintptr_t)info->si_addr);
  errno = error;
  if (mended) {
    return;
  }
  if (before.sa_flags & SA_SIGINFO) {
    before.sa_sigaction(signal, info, context);
  } else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) {
    before.sa_handler(signal);
  } else {
    sigaction(signal, &before, NULL); /* the instruction is tried again, and ends the process */
  }
}

static int install(void) {
  struct sigaction action;
  if (sigaction(SIGBUS, NULL, &before) != 0) {
    return 0;
  }
  action = before; /* its mask and its stack */
  action.sa_flags |= SA_SIGINFO;
  action.sa_sigaction = on_bus_error;
  page = (uintptr_t)sysconf(_SC_PAGESIZE);
  return sigaction(SIGBUS, &action, NULL) == 0;
}

/* Watches a mapping that begins on a page; its number, or -1 if there is no room or no handler. */
long EXPORTED guard_watch(long begin, long length) {
  long number = -1;
  pthread_mutex_lock(&lock);
  installed = installed || install();
  for (int i = 0; installed && i < RANGES && number < 0; i++) {
    if (ranges[i].end == 0) {
      ranges[i].lost = 0;
      ranges[i].begin = (uintptr_t)begin;
      ranges[i].end = ((uintptr_t)begin + (uintptr_t)length + page - 1) & ~(page - 1);
      number = i;
      used = i < used ? used : i + 1;
    }
  }
  pthread_mutex_unlock(&lock);
  return number;
}

/* Ends that, before the mapping does. */
void EXPORTED guard_forget(long number) {
  ranges[number].end = 0;
}

/* Whether a watched range could not be read. */
long EXPORTED guard_lost(long number) {
  return ranges[number].lost;
}

/* Where the number of faults of all ranges is counted. */
long EXPORTED guard_losses(void) {
  return (long)&losses;
}
