#include "datasets/spread_history.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/check.h"
#include "core/rng.h"

namespace plumb {
namespace {

constexpr double kPrior = 0.5;   // Jeffreys' prior of a success rate
constexpr double kMemory = 0.5;  // what a visit keeps of those before it

bool is_count(const nlohmann::json& json, double limit) {
  return json.is_number() && json.get<double>() >= 0 && json.get<double>() <= limit;
}

}  // namespace

std::vector<std::uint32_t> SpreadHistory::choose(std::size_t n, std::uint64_t seed, std::uint64_t key,
                                                 std::uint32_t round) const {
  PLUMB_CHECK(n <= prompts_.size(), "more different prompts than there are");
  const RngStream stream(RngPurpose::kData, seed, key, round);
  std::vector<double> keys(prompts_.size());
  for (std::uint32_t i = 0; i < keys.size(); ++i) {
    keys[i] = std::log1p(-stream.uniform_double(i)) / weight(i);
  }
  std::vector<std::uint32_t> order(prompts_.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(),
            [&](std::uint32_t a, std::uint32_t b) { return keys[a] != keys[b] ? keys[a] > keys[b] : a < b; });
  order.resize(n);
  return order;
}

void SpreadHistory::observe(std::uint32_t prompt, double successes, double trials) {
  PLUMB_CHECK(successes >= 0 && successes <= trials, "more successes than trials");
  prompts_[prompt].successes = kMemory * prompts_[prompt].successes + successes;
  prompts_[prompt].trials = kMemory * prompts_[prompt].trials + trials;
}

double SpreadHistory::weight(std::uint32_t prompt) const {
  const double a = kPrior + prompts_[prompt].successes;
  const double b = kPrior + prompts_[prompt].trials - prompts_[prompt].successes;
  return a * b / ((a + b) * (a + b + 1));
}

nlohmann::json SpreadHistory::to_json() const {
  nlohmann::json json = nlohmann::json::array();
  for (const Prompt& prompt : prompts_) {
    json.push_back({prompt.draws, prompt.successes, prompt.trials});
  }
  return json;
}

Result<void> SpreadHistory::restore(const nlohmann::json& json) {
  if (!json.is_array() || json.size() != prompts_.size()) {
    return Error{"expected [draws, successes, trials] of " + std::to_string(prompts_.size()) + " prompts"};
  }
  std::vector<Prompt> prompts;
  for (const auto& row : json) {
    constexpr double kMaxTrials = 1e9;
    if (!row.is_array() || row.size() != 3 || !row[0].is_number_unsigned() || !is_count(row[0], 4294967295.0) ||
        !is_count(row[2], kMaxTrials) || !is_count(row[1], row[2].get<double>())) {
      return Error{"expected [draws, successes, trials], found " + row.dump()};
    }
    prompts.push_back({row[0].get<std::uint32_t>(), row[1].get<double>(), row[2].get<double>()});
  }
  prompts_ = std::move(prompts);
  return {};
}

}  // namespace plumb
