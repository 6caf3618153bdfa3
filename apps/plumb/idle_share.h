#pragma once
// Whether the machine's processors have work: sampling, judging and learning are to overlap.

#include <cstdint>

namespace plumb {

class IdleShare {
 public:
  IdleShare() { take(); }
  /// Share of the time of all of this machine's processors, since this was last asked, in which nobody used them, other
  /// programs included; 0 where the kernel does not say (/proc/stat).
  double take();

 private:
  std::int64_t idle_ = 0;   // ticks
  std::int64_t total_ = 0;  // likewise
};

}  // namespace plumb
