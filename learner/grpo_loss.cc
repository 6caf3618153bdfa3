#include "learner/grpo_loss.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"

namespace plumb {
namespace {

double at(std::span<const float> values, std::size_t index) {
  return static_cast<double>(values[index]);
}

// A token's policy term and its derivative by log r (for CISPO: by log pi).
struct PolicyTerm {
  double loss = 0;
  double derivative = 0;
  bool clipped_low = false;
  bool clipped_high = false;
};

PolicyTerm clipped_term(double ratio, double advantage, const GrpoLossOptions& options) {
  const double low = 1.0 - static_cast<double>(options.clip_low);
  const double high = 1.0 + static_cast<double>(options.clip_high);
  const double unclipped = ratio * advantage;
  const double clipped = std::clamp(ratio, low, high) * advantage;
  const bool clip_rules = clipped < unclipped;
  const double objective = std::min(unclipped, clipped);
  const double least = static_cast<double>(options.dual_clip) * advantage;
  if (options.dual_clip > 0 && advantage < 0 && objective < least) {
    return {-least, 0, false, true};
  }
  return {-objective, clip_rules ? 0.0 : -unclipped, clip_rules && ratio < low, clip_rules && ratio > high};
}

PolicyTerm cispo_term(double ratio, double advantage, double log_prob, const GrpoLossOptions& options) {
  const double high = 1.0 + static_cast<double>(options.clip_high);
  const double weight = std::min(ratio, high) * advantage;
  return {-weight * log_prob, -weight, false, ratio > high};
}

class LossOfBatch {
 public:
  LossOfBatch(const GrpoLossInput& input, const GrpoLossOptions& options, std::span<float> d_log_probs,
              std::span<float> d_raw_log_probs)
      : in_(input), options_(options), d_log_probs_(d_log_probs), d_raw_log_probs_(d_raw_log_probs) {}

  GrpoLossSums run() {
    for (const LossSequence& sequence : in_.sequences) {
      PLUMB_CHECK(sequence.denominator > 0, "grpo_loss: a denominator is not positive");
      if (options_.ratio == RatioKind::kSequence) {
        run_sequence_ratio(sequence);
      } else {
        run_token_ratio(sequence);
      }
    }
    return sums_;
  }

 private:
  [[nodiscard]] double log_ratio(std::size_t t) const { return at(in_.new_log_probs, t) - at(in_.old_log_probs, t); }

  // Importance and mask applied.
  PolicyTerm weighted(PolicyTerm term, std::size_t t) {
    if (!in_.importance.empty()) {
      term.loss *= at(in_.importance, t);
      term.derivative *= at(in_.importance, t);
    }
    if (!in_.policy_mask.empty() && in_.policy_mask[t] == 0) {
      return {};
    }
    sums_.clipped_low += term.clipped_low ? 1 : 0;
    sums_.clipped_high += term.clipped_high ? 1 : 0;
    return term;
  }

  void run_token_ratio(const LossSequence& sequence) {
    for (std::size_t t = sequence.begin; t < sequence.end; ++t) {
      const double ratio = std::exp(log_ratio(t));
      const PolicyTerm term =
          weighted(options_.ratio == RatioKind::kCispo
                       ? cispo_term(ratio, at(in_.advantages, t), at(in_.new_log_probs, t), options_)
                       : clipped_term(ratio, at(in_.advantages, t), options_),
                   t);
      finish(t, term.loss, term.derivative, sequence.denominator);
    }
  }

  // Every token's term is of the one ratio s, and d s / d log pi of each token is s / length.
  void run_sequence_ratio(const LossSequence& sequence) {
    const auto length = static_cast<double>(sequence.end - sequence.begin);
    double mean = 0;
    for (std::size_t t = sequence.begin; t < sequence.end; ++t) {
      mean += log_ratio(t) / length;
    }
    std::vector<double> losses;
    double derivative = 0;
    for (std::size_t t = sequence.begin; t < sequence.end; ++t) {
      const PolicyTerm term = weighted(clipped_term(std::exp(mean), at(in_.advantages, t), options_), t);
      losses.push_back(term.loss);
      derivative += term.derivative / length;
    }
    for (std::size_t t = sequence.begin; t < sequence.end; ++t) {
      finish(t, losses[t - sequence.begin], derivative, sequence.denominator);
    }
  }

  // Adds the terms that are of the token alone, and what is only measured.
  void finish(std::size_t t, double loss, double derivative, double denominator) {
    const double difference = log_ratio(t);
    const double ratio = std::exp(difference);
    const double from_actor = in_.importance.empty() ? ratio : at(in_.importance, t) * ratio;  // pi / mu
    if (options_.kl != KlLoss::kNone) {
      const KlTerm kl = kl_of(t, from_actor);
      const double beta = static_cast<double>(options_.kl_coefficient);
      sums_.reference_kl += kl.value;
      loss += beta * kl.value;
      derivative += beta * kl.by_ratio;
      if (d_raw_log_probs_.empty()) {
        derivative += beta * kl.by_raw;
      } else {
        d_raw_log_probs_[t] = static_cast<float>(beta * kl.by_raw / denominator);
      }
    }
    if (options_.entropy_coefficient != 0) {
      const auto coefficient = static_cast<double>(options_.entropy_coefficient);
      loss -= coefficient * at(in_.entropies, t);
      derivative += coefficient * from_actor * (at(in_.new_log_probs, t) + at(in_.entropies, t));
    }
    sums_.loss += loss / denominator;
    d_log_probs_[t] = static_cast<float>(derivative / denominator);
    sums_.kl += ratio - 1.0 - difference;
    sums_.entropy += at(in_.entropies, t);
    sums_.max_ratio_deviation = std::max(sums_.max_ratio_deviation, std::abs(ratio - 1.0));
    ++sums_.num_tokens;
  }

  // A token's divergence, and its derivatives by the raw log-prob and (through the ratio) by the sampled one.
  struct KlTerm {
    double value = 0;
    double by_raw = 0;
    double by_ratio = 0;
  };

  [[nodiscard]] KlTerm kl_of(std::size_t t, double ratio) const {
    const double raw = at(in_.raw_log_probs.empty() ? in_.new_log_probs : in_.raw_log_probs, t);
    const double d = at(in_.reference_log_probs, t) - raw;
    const double k3 = std::exp(d) - 1.0 - d;
    switch (options_.kl) {
      case KlLoss::kK2:
        return {d * d / 2, -d, 0};
      case KlLoss::kUnbiased:
        return {ratio * k3, ratio * (1.0 - std::exp(d)), ratio * k3};
      default:
        return {k3, 1.0 - std::exp(d), 0};
    }
  }

  const GrpoLossInput& in_;
  const GrpoLossOptions& options_;
  std::span<float> d_log_probs_;
  std::span<float> d_raw_log_probs_;
  GrpoLossSums sums_;
};

}  // namespace

void GrpoLossSums::add(const GrpoLossSums& other) {
  loss += other.loss;
  kl += other.kl;
  reference_kl += other.reference_kl;
  entropy += other.entropy;
  max_ratio_deviation = std::max(max_ratio_deviation, other.max_ratio_deviation);
  actor_difference += other.actor_difference;
  max_actor_difference = std::max(max_actor_difference, other.max_actor_difference);
  clipped_low += other.clipped_low;
  clipped_high += other.clipped_high;
  num_tokens += other.num_tokens;
}

GrpoLossSums grpo_loss(const GrpoLossInput& input, const GrpoLossOptions& options, std::span<float> d_log_probs,
                       std::span<float> d_raw_log_probs) {
  const std::size_t count = input.new_log_probs.size();
  const auto fits = [count](std::size_t size, bool optional) { return size == count || (optional && size == 0); };
  PLUMB_CHECK(fits(input.old_log_probs.size(), false) && fits(input.advantages.size(), false) &&
                  fits(input.entropies.size(), false) && fits(d_log_probs.size(), false) &&
                  fits(input.reference_log_probs.size(), options.kl == KlLoss::kNone) &&
                  fits(input.raw_log_probs.size(), true) && d_raw_log_probs.size() == input.raw_log_probs.size() &&
                  fits(input.importance.size(), true) && fits(input.policy_mask.size(), true),
              "grpo_loss: sizes differ");
  std::size_t next = 0;
  for (const LossSequence& sequence : input.sequences) {
    PLUMB_CHECK(sequence.begin == next && sequence.end >= next, "grpo_loss: sequences do not tile the tokens");
    next = sequence.end;
  }
  PLUMB_CHECK(next == count, "grpo_loss: sequences do not tile the tokens");
  return LossOfBatch(input, options, d_log_probs, d_raw_log_probs).run();
}

}  // namespace plumb
