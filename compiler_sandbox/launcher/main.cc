// plumb-sandbox: one launcher a slot. Small, single-threaded, with an empty environment: it makes namespaces, limits
// and kills. Its only peer is the judge, at the other end of descriptor 3; when that closes, everything ends.

#include <fcntl.h>
#include <signal.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

#include "compiler_sandbox/launcher/launcher.h"
#include "compiler_sandbox/launcher/step.h"

// Addresses that repeat make outcomes that depend on them repeat, too, and room for the stack of deep recursion: both
// are fixed when a program is executed, and some programs are copies of this one. Returns where that was done already
// or cannot be.
void execute_again(char** argv) {
  const int now = personality(0xffffffffUL);
  if (now == -1 || (static_cast<unsigned>(now) & ADDR_NO_RANDOMIZE) != 0 ||
      personality(static_cast<unsigned long>(now) | ADDR_NO_RANDOMIZE) == -1) {
    return;
  }
  rlimit stack{};
  if (getrlimit(RLIMIT_STACK, &stack) == 0) {
    stack.rlim_cur = std::min(plumb::kStackBytes, stack.rlim_max);
    setrlimit(RLIMIT_STACK, &stack);
  }
  char* no_environment[] = {nullptr};
  execve("/proc/self/exe", argv, no_environment);
}

int main(int, char** argv) {
  execute_again(argv);
  prctl(PR_SET_NAME, "plumb-sandbox", 0, 0, 0);
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  signal(SIGPIPE, SIG_IGN);
  if (fcntl(3, F_GETFD) < 0) {
    static constexpr char kMessage[] = "plumb-sandbox is started by plumb and is of no use alone.\n";
    static_cast<void>(!write(2, kMessage, sizeof(kMessage) - 1));
    return 2;
  }
  plumb::serve_judge();
  return 0;
}
