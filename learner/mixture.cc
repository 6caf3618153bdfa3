#include "learner/mixture.h"

#include <algorithm>
#include <numeric>

#include "core/check.h"
#include "core/rng.h"

namespace plumb {
namespace {

// One source's examples, epoch by epoch.
struct Source {
  std::vector<std::size_t> examples;  // of the present epoch, in its order
  std::uint32_t epoch = 0;
  std::size_t next = 0;
  double tokens = 0;

  std::size_t draw(std::uint64_t seed, std::uint64_t number) {
    if (next == 0) {
      std::ranges::sort(examples);
      shuffle(examples, RngStream(RngPurpose::kData, seed, stable_hash("sft mixture") + number, epoch));
    }
    const std::size_t drawn = examples[next];
    next = (next + 1) % examples.size();
    epoch += next == 0 ? 1 : 0;
    return drawn;
  }
};

}  // namespace

std::vector<std::size_t> mixture_order(std::span<const MixtureItem> items, std::span<const double> shares,
                                       std::size_t count, std::uint64_t seed) {
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  PLUMB_CHECK(sum > 0, "mixture_order: no share is positive");
  std::vector<Source> sources(shares.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    sources.at(static_cast<std::size_t>(items[i].source)).examples.push_back(i);
  }
  std::vector<std::size_t> order;
  double drawn = 0;
  while (order.size() < count) {
    std::size_t behind = shares.size();
    double most = 0;
    for (std::size_t s = 0; s < shares.size(); ++s) {
      const double deficit = shares[s] / sum * (drawn + 1) - sources[s].tokens;
      if (shares[s] > 0 && (behind == shares.size() || deficit > most)) {
        behind = s;
        most = deficit;
      }
    }
    PLUMB_CHECK(!sources[behind].examples.empty(), "mixture_order: a source with a share has no example");
    order.push_back(sources[behind].draw(seed, behind));
    const auto tokens = static_cast<double>(items[order.back()].tokens);
    sources[behind].tokens += tokens;
    drawn += tokens;
  }
  return order;
}

}  // namespace plumb
