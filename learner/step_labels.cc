#include "learner/step_labels.h"

#include <map>

#include "core/steps.h"

namespace plumb {
namespace {

struct Tally {
  std::int64_t right = 0;
  std::int64_t all = 0;
};

// A beginning of completions, or a whole one.
using Beginning = std::pair<std::string_view, bool>;

Beginning up_to(std::string_view text, std::size_t end, bool last) {
  return {text.substr(0, end), last};
}

}  // namespace

std::vector<StepLabels> step_labels(std::span<const JudgedText> completions) {
  std::vector<StepLabels> all;
  std::map<Beginning, Tally> tallies;
  for (const JudgedText& completion : completions) {
    all.push_back({step_ends(completion.text), {}, {}});
    const std::vector<std::size_t>& ends = all.back().ends;
    for (std::size_t step = 0; step < ends.size(); ++step) {
      Tally& tally = tallies[up_to(completion.text, ends[step], step + 1 == ends.size())];
      tally.right += completion.right ? 1 : 0;
      ++tally.all;
    }
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    StepLabels& labels = all[i];
    for (std::size_t step = 0; step < labels.ends.size(); ++step) {
      const Tally& tally = tallies[up_to(completions[i].text, labels.ends[step], step + 1 == labels.ends.size())];
      labels.labels.push_back(static_cast<double>(tally.right) / static_cast<double>(tally.all));
      labels.completions.push_back(tally.all);
    }
  }
  return all;
}

}  // namespace plumb
