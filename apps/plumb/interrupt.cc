#include "apps/plumb/interrupt.h"

#include <chrono>
#include <csignal>
#include <thread>

namespace plumb {
namespace {

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

void wait_for_interrupt() {
  while (!interrupted()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

}  // namespace plumb
