#include "apps/plumb/interrupt.h"

#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>

namespace plumb {
namespace {

constexpr int kLookMs = 100;

volatile std::sig_atomic_t g_interrupted = 0;

void on_signal(int signal) {
  if (g_interrupted != 0) {
    std::signal(signal, SIG_DFL);
    std::raise(signal);
    return;
  }
  g_interrupted = 1;
}

}  // namespace

void install_interrupt_handler() {
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
}

bool interrupted() {
  return g_interrupted != 0;
}

int stopped_by_user(const std::string& sentence) {
  std::fflush(stdout);
  std::fprintf(stderr, "plumb: %s\n", sentence.c_str());
  return kInterruptedStatus;
}

void wait_for_interrupt(bool or_end_of_input) {
  while (!interrupted()) {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    const bool readable = poll(&input, or_end_of_input ? 1 : 0, kLookMs) > 0;
    char bytes[256];
    if (readable && read(STDIN_FILENO, bytes, sizeof(bytes)) <= 0) {
      return;
    }
  }
}

}  // namespace plumb
