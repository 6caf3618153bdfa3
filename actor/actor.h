#pragma once
// A sampler whose weights are copies of a learner's: the learner may go on while it samples.

#include <cstdint>
#include <memory>

#include "actor/generator.h"
#include "policy/weight_set.h"

namespace plumb {

class Actor : public CompletionSource {
 public:
  /// Of the weights that it was given last.
  [[nodiscard]] virtual std::int64_t version() const = 0;
  /// Samples with these weights from now on, unless it has this version already. Between two calls of generate(), or
  /// within one from its on_progress: then every completion goes on with them. Errors: they cannot be passed on.
  virtual Result<void> adopt(const WeightSet& weights) = 0;
};

/// An actor within this process: a policy like `learner`'s, not trainable, on `pool`. `tokenizer` and `pool` outlive
/// it. Errors: a policy that cannot be copied.
Result<std::unique_ptr<Actor>> copy_as_actor(Policy& learner, const Tokenizer& tokenizer, ThreadPool& pool);

}  // namespace plumb
