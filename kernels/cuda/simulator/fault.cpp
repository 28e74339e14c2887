#include "fault.h"

#include <csetjmp>
#include <csignal>
#include <cstdio>
#include <exception>
#include <mutex>

#include "machine.h"
#include "memory.h"

namespace {
thread_local sigjmp_buf* back;

struct sigaction before;  // the JVM's handler: faults of its own code are its own

void onFault(int signal, siginfo_t* info, void* context) {
  if (back != nullptr && inDeviceSpace(info->si_addr)) {
    siglongjmp(*back, 1);
  }
  if (before.sa_flags & SA_SIGINFO) {
    before.sa_sigaction(signal, info, context);
  } else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) {
    before.sa_handler(signal);
  } else {
    sigaction(signal, &before, nullptr);
  }
}

void install() {
  struct sigaction ours = {};
  ours.sa_sigaction = onFault;
  ours.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  sigemptyset(&ours.sa_mask);
  sigaction(SIGSEGV, &ours, &before);
}
}  // namespace

int guarded(const std::function<void()>& kernel) {
  static std::once_flag once;
  std::call_once(once, install);
  sigjmp_buf here;
  if (sigsetjmp(here, 1) != 0) {
    back = nullptr;
    return ILLEGAL_ADDRESS;
  }
  back = &here;
  int result = SUCCESS;
  try {
    kernel();
  } catch (const std::exception& e) {
    fprintf(stderr, "simulated driver: a kernel failed: %s\n", e.what());
    result = LAUNCH_FAILED;
  }
  back = nullptr;
  return result;
}
