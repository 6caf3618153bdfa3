#include "apps/plumb/rollout.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>

#include "apps/plumb/interrupt.h"

namespace plumb {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Scores groups on a thread of its own, in the order they come; results stand at their index.
class ScoringThread {
 public:
  ScoringThread(Scorer& scorer, std::size_t num_groups) : scorer_(scorer), results_(num_groups) {
    thread_ = std::thread([this] { run(); });
  }
  ~ScoringThread() { close(); }
  ScoringThread(const ScoringThread&) = delete;
  ScoringThread& operator=(const ScoringThread&) = delete;

  void push(std::size_t index, const CompletionGroup& group) {
    {
      const std::lock_guard lock(mutex_);
      waiting_.emplace_back(index, group);
    }
    wake_.notify_one();
  }

  // Waits until everything pushed is scored.
  std::vector<ScoredGroup> take() {
    close();
    return std::move(results_);
  }

 private:
  void close() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) {
      thread_.join();
    }
  }

  void run() {
    for (;;) {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return closed_ || !waiting_.empty(); });
      if (waiting_.empty()) {
        return;
      }
      auto [index, group] = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      std::vector<CompletionGroup> one;
      one.push_back(std::move(group));
      results_[index] = std::move(scorer_.score(std::move(one)).front());
    }
  }

  Scorer& scorer_;
  std::vector<ScoredGroup> results_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::pair<std::size_t, CompletionGroup>> waiting_;
  bool closed_ = false;
  std::thread thread_;
};

}  // namespace

Result<std::vector<std::int32_t>> prompt_token_ids(const PromptRecord& prompt, const Tokenizer& tokenizer,
                                                   const ChatTemplate& chat_template) {
  auto text = chat_template.render(prompt.messages, true);
  if (!text) {
    return text.error().with_context("prompt '" + prompt.id + "'");
  }
  return tokenizer.encode(*text);
}

GeneratorOptions generator_options(const Settings& settings) {
  const SamplingSettings& from = settings.sampling;
  GeneratorOptions options;
  options.seed = settings.run.seed;
  options.max_batch = from.max_batch;
  options.cache_bytes = from.cache_mib << 20;
  SamplingOptions& sampling = options.sampling;
  sampling.temperature = static_cast<float>(from.temperature);
  sampling.top_k = from.top_k;
  sampling.top_p = static_cast<float>(from.top_p);
  sampling.min_p = static_cast<float>(from.min_p);
  sampling.typical_p = static_cast<float>(from.typical_p);
  sampling.repetition_penalty = static_cast<float>(from.repetition_penalty);
  sampling.presence_penalty = static_cast<float>(from.presence_penalty);
  sampling.frequency_penalty = static_cast<float>(from.frequency_penalty);
  sampling.stop = from.stop;
  for (const std::int64_t id : from.stop_token_ids) {
    sampling.stop_token_ids.push_back(static_cast<std::int32_t>(std::clamp<std::int64_t>(id, -1, INT32_MAX)));
  }
  sampling.min_new_tokens = from.min_new_tokens;
  sampling.max_new_tokens = from.max_new_tokens;
  return options;
}

Result<void> check_prompts(std::span<const std::shared_ptr<const PromptRecord>> prompts, const Tokenizer& tokenizer,
                           const ChatTemplate& chat_template, const GeneratorOptions& options, const Policy& policy) {
  GenerationRequest longest;
  for (const auto& prompt : prompts) {
    PLUMB_ASSIGN(auto ids, prompt_token_ids(*prompt, tokenizer, chat_template));
    if (longest.prompt == nullptr || ids.size() > longest.prompt_token_ids.size()) {
      longest.prompt = prompt;
      longest.prompt_token_ids = std::move(ids);
    }
  }
  return longest.prompt == nullptr ? Result<void>() : check_request(longest, options, policy);
}

Result<Rollout> run_rollout(const RolloutParts& parts, std::span<const PromptDraw> draws, int group_size,
                            const GeneratorOptions& options,
                            const std::function<void(const GenerationProgress&)>& on_progress) {
  std::vector<GenerationRequest> requests;
  for (const PromptDraw& draw : draws) {
    PLUMB_ASSIGN(auto ids, prompt_token_ids(*draw.prompt, parts.tokenizer, parts.chat_template));
    requests.push_back({draw.prompt, std::move(ids), draw.draw, group_size, {}});
  }
  Rollout rollout;
  const auto start = Clock::now();
  ScoringThread scoring(parts.scorer, requests.size());
  PLUMB_ASSIGN(const auto groups,
               parts.generator.generate(
                   requests, options,
                   [&](const GenerationProgress& progress) {
                     rollout.new_tokens = progress.new_tokens;
                     rollout.rows = progress.rows;
                     rollout.head_rows = progress.head_rows;
                     if (on_progress) {
                       on_progress(progress);
                     }
                     rollout.stopped =
                         (!parts.ignores_interrupt && interrupted()) || (parts.between_steps && !parts.between_steps());
                     return !rollout.stopped;
                   },
                   [&](std::size_t index, const CompletionGroup& group) { scoring.push(index, group); }));
  rollout.sample_s = seconds_since(start);
  rollout.groups = scoring.take();
  rollout.reward_s = seconds_since(start) - rollout.sample_s;
  return rollout;
}

std::string fault_of_all(std::span<const ScoredGroup> groups) {
  std::string fault;
  for (const ScoredGroup& group : groups) {
    for (const Score& score : group.scores) {
      if (!score.unscored) {
        return {};
      }
      fault = fault.empty() ? *score.unscored : fault;
    }
  }
  return fault;
}

}  // namespace plumb
