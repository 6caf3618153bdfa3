#include "learner/aggregation.h"

#include <numeric>

namespace plumb {

std::vector<double> denominators(std::span<const std::int64_t> lengths, Aggregation aggregation,
                                 std::int64_t max_completion_tokens) {
  const auto count = static_cast<double>(lengths.size());
  const auto all = static_cast<double>(std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0}));
  std::vector<double> result;
  for (const std::int64_t length : lengths) {
    switch (aggregation) {
      case Aggregation::kTokenMean:
        result.push_back(all);
        break;
      case Aggregation::kSampleMean:
        result.push_back(count * static_cast<double>(length));
        break;
      case Aggregation::kConstantLength:
        result.push_back(count * static_cast<double>(max_completion_tokens));
        break;
      case Aggregation::kSequenceSum:
        result.push_back(count);
        break;
    }
  }
  return result;
}

}  // namespace plumb
