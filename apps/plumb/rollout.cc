#include "apps/plumb/rollout.h"

#include <chrono>
#include <condition_variable>
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

Result<Rollout> run_rollout(const RolloutParts& parts, std::span<const PromptDraw> draws, int group_size,
                            const GeneratorOptions& options,
                            const std::function<void(const GenerationProgress&)>& on_progress) {
  std::vector<GenerationRequest> requests;
  for (const PromptDraw& draw : draws) {
    PLUMB_ASSIGN(auto ids, prompt_token_ids(*draw.prompt, parts.tokenizer, parts.chat_template));
    requests.push_back({draw.prompt, std::move(ids), draw.draw, group_size});
  }
  Rollout rollout;
  const auto start = Clock::now();
  ScoringThread scoring(parts.scorer, requests.size());
  PLUMB_ASSIGN(const auto groups,
               parts.generator.generate(
                   requests, options,
                   [&](const GenerationProgress& progress) {
                     rollout.new_tokens = progress.new_tokens;
                     if (on_progress) {
                       on_progress(progress);
                     }
                     rollout.stopped = interrupted();
                     return !rollout.stopped;
                   },
                   [&](std::size_t index, const CompletionGroup& group) { scoring.push(index, group); }));
  rollout.sample_s = seconds_since(start);
  rollout.groups = scoring.take();
  rollout.reward_s = seconds_since(start) - rollout.sample_s;
  return rollout;
}

}  // namespace plumb
