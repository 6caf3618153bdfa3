// plumb-maths: answers maths comparisons on standard input, a socket, until it closes. Started by math_worker.cc with
// the bytes of memory and the seconds of processor time that one comparison may take.

#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "core/sanitizers.h"
#include "reward/rules/math/verify.h"
#include "reward/rules/math/wire.h"

namespace plumb {
namespace {

void limit_memory([[maybe_unused]] rlim_t bytes) {
#ifndef PLUMB_RESERVES_ADDRESSES
  const rlimit limit{bytes, bytes};
  setrlimit(RLIMIT_AS, &limit);
#endif
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
}

// The processor time used so far and `seconds` more; SIGXCPU ends the process.
void arm_cpu_limit(rlim_t seconds) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto used = static_cast<rlim_t>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec);
  const rlimit limit{used + seconds + 1, RLIM_INFINITY};
  setrlimit(RLIMIT_CPU, &limit);
}

MathOptions read_options(math::FrameReader& in) {
  MathOptions options;
  options.decimal_digits = in.number<int>();
  for (bool* flag : {&options.bare_percent, &options.optional_unit, &options.convert_units, &options.unordered_lists,
                     &options.decimal_comma, &options.join_boxes, &options.last_number, &options.probably_counts}) {
    *flag = in.number<std::uint8_t>() != 0;
  }
  options.max_work = in.number<std::int64_t>();
  options.seed = in.number<std::uint64_t>();
  return options;
}

bool answer(const std::string& request, rlim_t cpu_seconds) {
  math::FrameReader in(request);
  const MathOptions options = read_options(in);
  const auto count = in.number<std::uint32_t>();
  std::string out;  // several short answers in one write
  constexpr std::size_t kWriteBytes = 8192;
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    const bool response = in.number<std::uint8_t>() != 0;
    const std::string_view truth = in.text();
    const std::string_view text = in.text();
    if (!in.ok()) {
      return false;
    }
    if (i % 64 == 0) {
      arm_cpu_limit(cpu_seconds);
    }
    const MathResult result = response ? verify_math(truth, text, options) : compare_math_answers(truth, text, options);
    math::FrameWriter frame;
    frame.number(static_cast<std::uint8_t>(result.verdict));
    frame.number(result.work);
    frame.text(result.reason);
    frame.text(result.extracted);
    const auto size = static_cast<std::uint32_t>(frame.bytes().size());
    out.append(reinterpret_cast<const char*>(&size), sizeof(size));
    out += frame.bytes();
    const bool costly = result.work > 10000;
    if (costly || out.size() >= kWriteBytes || i + 1 == count) {
      if (!math::write_all(0, out)) {
        return false;
      }
      out.clear();
    }
  }
  return in.ok();
}

}  // namespace
}  // namespace plumb

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "plumb-maths is started by plumb: MEMORY_BYTES CPU_SECONDS\n");
    return 2;
  }
  plumb::limit_memory(std::strtoull(argv[1], nullptr, 10));
  const rlim_t cpu_seconds = std::strtoull(argv[2], nullptr, 10);
  while (const auto request = plumb::math::receive_frame(0, -1)) {
    if (!plumb::answer(*request, cpu_seconds)) {
      return 1;
    }
  }
  return 0;
}
