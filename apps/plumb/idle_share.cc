#include "apps/plumb/idle_share.h"

#include <fstream>
#include <string>
#include <utility>

namespace plumb {

double IdleShare::take() {
  std::ifstream stat("/proc/stat");
  std::string word;
  stat >> word;  // "cpu": all of them
  std::int64_t total = 0;
  std::int64_t idle = 0;
  // user, nice, system, idle, iowait, irq, softirq, steal; guests' time is in the first two already
  for (int column = 0; column < 8; ++column) {
    std::int64_t ticks = 0;
    if (!(stat >> ticks)) {
      return 0;
    }
    total += ticks;
    idle += column == 3 || column == 4 ? ticks : 0;
  }
  const auto passed = static_cast<double>(total - std::exchange(total_, total));
  const auto unused = static_cast<double>(idle - std::exchange(idle_, idle));
  return passed > 0 ? unused / passed : 0;
}

}  // namespace plumb
