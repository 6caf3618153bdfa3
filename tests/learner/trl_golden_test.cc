// The loss against numbers that TRL itself produced (tests/golden/make_trl_losses.py).

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "learner/aggregation.h"
#include "learner/grpo_batch.h"
#include "learner/grpo_loss.h"
#include "learner/importance.h"

namespace plumb {
namespace {

using Json = nlohmann::json;

Json read_golden() {
  std::ifstream file(PLUMB_SOURCE_DIR "/tests/golden/trl_losses.json");
  return Json::parse(file);
}

// TRL's flags in our terms.
GrpoLossOptions options_of(const Json& flags) {
  GrpoLossOptions options;
  options.clip_low = flags.at("epsilon").get<float>();
  options.clip_high = flags.at("epsilon_high").get<float>();
  options.dual_clip = flags.at("delta").is_null() ? 0.0F : flags.at("delta").get<float>();
  if (flags.at("importance_sampling_level") == "sequence") {
    options.ratio = RatioKind::kSequence;
  } else if (flags.at("loss_type") == "cispo") {
    options.ratio = RatioKind::kCispo;
    options.clip_high -= 1;  // TRL names the cap itself
  }
  options.kl_coefficient = flags.at("beta").get<float>();
  if (options.kl_coefficient > 0) {
    options.kl = flags.at("use_bias_correction_kl") == true ? KlLoss::kUnbiased : KlLoss::kK3;
  }
  return options;
}

Aggregation aggregation_of(const std::string& loss_type) {
  return loss_type == "grpo"      ? Aggregation::kSampleMean
         : loss_type == "dr_grpo" ? Aggregation::kConstantLength
         : loss_type == "luspo"   ? Aggregation::kSequenceSum
                                  : Aggregation::kTokenMean;  // dapo, bnpo (one batch), cispo
}

Importance importance_of(const Json& mode) {
  return mode.is_null()                ? Importance::kNone
         : mode == "token_truncate"    ? Importance::kTokenTruncate
         : mode == "token_mask"        ? Importance::kTokenMask
         : mode == "sequence_truncate" ? Importance::kSequenceTruncate
                                       : Importance::kSequenceMask;
}

TEST(TrlGolden, EveryLossTypeKlAndImportanceMode) {
  const Json golden = read_golden();
  const auto lengths = golden.at("lengths").get<std::vector<std::int64_t>>();
  const auto now = golden.at("new").get<std::vector<float>>();
  const auto old = golden.at("old").get<std::vector<float>>();
  const auto actor = golden.at("actor").get<std::vector<float>>();
  const auto reference = golden.at("reference").get<std::vector<float>>();
  const auto entropies = golden.at("entropy").get<std::vector<float>>();
  ASSERT_GE(golden.at("cases").size(), 16U);
  for (const auto& [name, each] : golden.at("cases").items()) {
    const Json& flags = each.at("flags");
    const GrpoLossOptions options = options_of(flags);
    const auto all_denominators = denominators(lengths, aggregation_of(flags.at("loss_type").get<std::string>()),
                                               golden.at("max_completion_length").get<std::int64_t>());
    std::vector<LossSequence> sequences;
    std::vector<float> advantages;
    std::vector<float> factors;
    for (std::size_t i = 0; i < lengths.size(); ++i) {
      const std::size_t begin = advantages.size();
      const auto length = static_cast<std::size_t>(lengths[i]);
      advantages.insert(advantages.end(), length, golden.at("advantages")[i].get<float>());
      sequences.push_back({begin, begin + length, all_denominators[i]});
      const auto part =
          importance_factors(std::span(old).subspan(begin, length), std::span(actor).subspan(begin, length),
                             importance_of(flags.at("mode")), golden.at("importance_cap").get<float>());
      factors.insert(factors.end(), part.begin(), part.end());
    }
    const double share = flags.at("top_entropy_quantile").get<double>();
    const double threshold = share < 1 ? entropy_threshold(entropies, share) : -1e9;
    std::vector<std::uint8_t> mask;
    for (const float entropy : entropies) {
      mask.push_back(static_cast<double>(entropy) >= threshold ? 1 : 0);
    }
    std::vector<float> gradient(now.size());
    const GrpoLossSums sums =
        grpo_loss({now, {}, old, advantages, entropies, reference, factors, mask, sequences}, options, gradient);
    // TRL computes in f64 from the same f32 numbers; options, factors and gradients are f32 here.
    EXPECT_NEAR(sums.loss, each.at("loss").get<double>(), 2e-7) << name;
    for (std::size_t t = 0; t < gradient.size(); ++t) {
      EXPECT_NEAR(gradient[t], each.at("gradient")[t].get<double>(), 1e-7) << name << ", token " << t;
    }
  }
}

}  // namespace
}  // namespace plumb
