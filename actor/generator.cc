// How it runs. Requests wait in order. While there is room (max_batch sequences, cache pages for their longest possible
// length), the next request is admitted: its prompt is prefilled once, the first token of each sample is drawn from the
// prompt's last logits, and the cached prompt is forked per sample. Every decode step then extends all live sequences
// by the token drawn last. A sequence that ends leaves its pages at once.

#include "actor/generator.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <optional>

#include "core/fence.h"

namespace plumb {
namespace {

// A completion that is being decoded.
struct Live {
  std::size_t request = 0;
  int sample = 0;
  SequenceId sequence = 0;
  std::int32_t last_token = 0;
  RngStream stream;
  StopAfterCodeBlock fence;
};

class Run {
 public:
  Run(Policy& policy, const Tokenizer& tokenizer, ThreadPool& pool, std::span<const GenerationRequest> requests,
      const GeneratorOptions& options, const std::function<void(std::size_t, const CompletionGroup&)>& on_group)
      : policy_(policy),
        tokenizer_(tokenizer),
        requests_(requests),
        options_(options),
        on_group_(on_group),
        cache_(policy.make_cache(options.cache_bytes)),
        scratch_(static_cast<std::size_t>(pool.num_threads())) {
    groups_.resize(requests.size());
    unfinished_.resize(requests.size());
    for (std::size_t r = 0; r < requests.size(); ++r) {
      groups_[r].prompt = requests[r].prompt;
      groups_[r].prompt_token_ids = requests[r].prompt_token_ids;
      groups_[r].draw = requests[r].draw;
      groups_[r].completions.resize(static_cast<std::size_t>(requests[r].num_samples));
      for (Completion& completion : groups_[r].completions) {
        completion.finish_reason = FinishReason::kAborted;  // until it ends by itself or by length
      }
      unfinished_[r] = requests[r].num_samples;
      progress_.total += requests[r].num_samples;
    }
  }

  Result<std::vector<CompletionGroup>> run(const std::function<bool(const GenerationProgress&)>& on_progress) {
    while (next_request_ < requests_.size() || !live_.empty()) {
      PLUMB_TRY(admit());
      decode_step();
      if (on_progress && !on_progress(progress_)) {
        break;
      }
    }
    return std::move(groups_);
  }

 private:
  [[nodiscard]] std::int64_t longest(const GenerationRequest& request) const {
    return static_cast<std::int64_t>(request.prompt_token_ids.size()) + options_.sampling.max_new_tokens;
  }

  // Takes requests while they fit; all prompts admitted together are prefilled in one call.
  Result<void> admit() {
    std::vector<std::size_t> admitted;
    std::int64_t planned = static_cast<std::int64_t>(live_.size());
    std::int64_t planned_tokens = 0;
    while (next_request_ < requests_.size()) {
      const GenerationRequest& request = requests_[next_request_];
      const std::int64_t need = longest(request) * (request.num_samples + 1);
      const bool first = planned == 0;
      if (!first && (planned + request.num_samples > options_.max_batch ||
                     reserved_tokens_ + planned_tokens + need > cache_tokens_)) {
        break;
      }
      if (first && need > cache_tokens_) {
        return Error{fmt::format(
            "actor: the cache budget of {} bytes holds {} tokens, but prompt '{}' with {} samples needs {}; raise "
            "sampling.cache_mib or lower sampling.max_new_tokens",
            cache_->budget_bytes(), cache_tokens_, request.prompt ? request.prompt->id : "", request.num_samples,
            need)};
      }
      planned += request.num_samples;
      planned_tokens += need;
      admitted.push_back(next_request_++);
    }
    reserved_tokens_ += planned_tokens;
    prefill(admitted);
    return {};
  }

  void prefill(const std::vector<std::size_t>& admitted) {
    if (admitted.empty()) {
      return;
    }
    std::vector<ExtendRequest> extend;
    for (const std::size_t r : admitted) {
      extend.push_back({cache_->add_sequence(), requests_[r].prompt_token_ids, true});
    }
    std::vector<std::vector<SampledToken>> first_tokens(admitted.size());
    policy_.extend(*cache_, extend, [&](std::int64_t index, int worker, std::span<float> logits) {
      const auto i = static_cast<std::size_t>(index);
      const GenerationRequest& request = requests_[admitted[i]];
      for (int sample = 0; sample < request.num_samples; ++sample) {
        first_tokens[i].push_back(sample_token(logits, options_.sampling.temperature, stream_of(request, sample), 0,
                                               scratch_[static_cast<std::size_t>(worker)]));
      }
    });
    for (std::size_t i = 0; i < admitted.size(); ++i) {
      const GenerationRequest& request = requests_[admitted[i]];
      for (int sample = 0; sample < request.num_samples; ++sample) {
        Live live{admitted[i], sample, cache_->fork(extend[i].sequence), 0, stream_of(request, sample), {}};
        accept(live, first_tokens[i][static_cast<std::size_t>(sample)]);
      }
      cache_->remove(extend[i].sequence);
    }
    retire_finished();
  }

  void decode_step() {
    if (live_.empty()) {
      return;
    }
    std::vector<ExtendRequest> extend;
    extend.reserve(live_.size());
    for (const Live& live : live_) {
      extend.push_back({live.sequence, {&live.last_token, 1}, true});
    }
    std::vector<SampledToken> drawn(live_.size());
    policy_.extend(*cache_, extend, [&](std::int64_t index, int worker, std::span<float> logits) {
      const Live& live = live_[static_cast<std::size_t>(index)];
      const auto position = static_cast<std::uint32_t>(completion_of(live).token_ids.size());
      drawn[static_cast<std::size_t>(index)] = sample_token(logits, options_.sampling.temperature, live.stream,
                                                            position, scratch_[static_cast<std::size_t>(worker)]);
    });
    std::vector<Live> before = std::move(live_);
    live_.clear();
    for (std::size_t i = 0; i < before.size(); ++i) {
      accept(before[i], drawn[i]);
    }
    retire_finished();
  }

  // Records the token; keeps the sequence alive unless the token ended it.
  void accept(Live& live, const SampledToken& token) {
    Completion& completion = completion_of(live);
    completion.token_ids.push_back(token.id);
    completion.log_probs.push_back(token.log_prob);
    completion.weight_versions.push_back(policy_.version());
    ++progress_.new_tokens;
    std::optional<FinishReason> reason;
    if (token.id == tokenizer_.eos_id()) {
      reason = FinishReason::kEndOfSequence;
    } else if (live.fence.feed(tokenizer_.token_bytes(token.id)) && options_.sampling.stop_after_code_block) {
      reason = FinishReason::kStop;
    } else if (static_cast<std::int64_t>(completion.token_ids.size()) >= options_.sampling.max_new_tokens) {
      reason = FinishReason::kLength;
    }
    live.last_token = token.id;
    if (reason) {
      finish(live, *reason);
    } else {
      live_.push_back(std::move(live));
    }
  }

  void finish(const Live& live, FinishReason reason) {
    const GenerationRequest& request = requests_[live.request];
    Completion& completion = completion_of(live);
    completion.finish_reason = reason;
    completion.stream = {static_cast<std::uint32_t>(options_.purpose), options_.seed, request.draw,
                         static_cast<std::uint32_t>(live.sample)};
    completion.text = tokenizer_.decode(completion.token_ids);
    cache_->remove(live.sequence);
    ++progress_.finished;
    if (--unfinished_[live.request] == 0) {
      completed_.push_back(live.request);
    }
  }

  void retire_finished() {
    for (const std::size_t r : completed_) {
      reserved_tokens_ -= longest(requests_[r]) * (requests_[r].num_samples + 1);
      if (on_group_) {
        on_group_(r, groups_[r]);
      }
    }
    completed_.clear();
  }

  [[nodiscard]] RngStream stream_of(const GenerationRequest& request, int sample) const {
    return RngStream(options_.purpose, options_.seed, stable_hash(request.prompt ? request.prompt->id : ""),
                     request.draw, static_cast<std::uint32_t>(sample));
  }

  Completion& completion_of(const Live& live) {
    return groups_[live.request].completions[static_cast<std::size_t>(live.sample)];
  }

  Policy& policy_;
  const Tokenizer& tokenizer_;
  std::span<const GenerationRequest> requests_;
  const GeneratorOptions& options_;
  const std::function<void(std::size_t, const CompletionGroup&)>& on_group_;
  std::unique_ptr<KvCache> cache_;
  std::int64_t cache_tokens_ = cache_->free_tokens();
  std::vector<std::vector<float>> scratch_;  // per worker
  std::vector<CompletionGroup> groups_;
  std::vector<int> unfinished_;         // completions per request
  std::vector<std::size_t> completed_;  // requests whose last completion ended in this step
  std::vector<Live> live_;
  std::size_t next_request_ = 0;
  std::int64_t reserved_tokens_ = 0;  // pages promised to admitted requests, in tokens
  GenerationProgress progress_;
};

}  // namespace

Generator::Generator(Policy& policy, const Tokenizer& tokenizer, ThreadPool& pool)
    : policy_(policy), tokenizer_(tokenizer), pool_(pool) {}

Result<std::vector<CompletionGroup>> Generator::generate(
    std::span<const GenerationRequest> requests, const GeneratorOptions& options,
    const std::function<bool(const GenerationProgress&)>& on_progress,
    const std::function<void(std::size_t, const CompletionGroup&)>& on_group) {
  for (const GenerationRequest& request : requests) {
    const auto prompt_tokens = static_cast<std::int64_t>(request.prompt_token_ids.size());
    const std::string id = request.prompt ? request.prompt->id : "";
    if (prompt_tokens == 0) {
      return Error{fmt::format("actor: prompt '{}' is empty; a prompt needs at least one token", id)};
    }
    if (prompt_tokens + options.sampling.max_new_tokens > policy_.config().max_positions) {
      return Error{fmt::format(
          "actor: prompt '{}' has {} tokens; with sampling.max_new_tokens = {} that exceeds the model's context of {}; "
          "shorten the prompt or lower sampling.max_new_tokens",
          id, prompt_tokens, options.sampling.max_new_tokens, policy_.config().max_positions)};
    }
  }
  return Run(policy_, tokenizer_, pool_, requests, options, on_group).run(on_progress);
}

}  // namespace plumb
