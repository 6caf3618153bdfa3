#pragma once
// What the reward server answers: scoring behind a bounded queue, remembered scores in front of it.

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "apps/plumb/lending_pool.h"
#include "apps/plumb/reward_server_requests.h"
#include "compiler_sandbox/judge.h"
#include "reward/rules/math_worker.h"
#include "reward/rules/scorer.h"
#include "reward/service/http_server.h"
#include "reward/service/message_server.h"
#include "reward/service/score_cache.h"
#include "reward/service/work_queue.h"

namespace plumb {

struct RewardServiceOptions {
  int threads = 2;                  // programs judged at once
  std::size_t queue = 4096;         // items waiting or running; more are refused with 503
  std::size_t remembered_mib = 32;  // of scores
  std::size_t max_items = 4096;     // of one request
};

/// POST /v1/score (one item: one JSON object; {"items"}: JSON Lines as they finish), POST /v1/judge (the evidence
/// alone), POST /v1/verify_math (a line of `plumb verify-math`, or {"items"} of them), POST /run_code and /submit as
/// SandboxFusion has them (apps/plumb/sandbox_fusion.h), GET /healthz, GET /metrics (Prometheus). Scores depend on the
/// request and the settings alone; unscored ones are not remembered. Thread-safe.
class RewardService {
 public:
  /// `judge` outlives the service.
  RewardService(Judge& judge, const ScorerOptions& scoring, const RewardServiceOptions& options);

  void handle(const HttpRequest& request, HttpReply& reply);
  /// The same scores, verdicts and evidence for messages; returns at once.
  void handle(MessageCall call, std::function<void(MessageAnswer)> answer);
  /// From now on what waits is answered without being judged: scores as unscored, messages as busy, all else as an
  /// error. What is being judged is finished.
  void stop() { stopping_ = true; }

 private:
  struct Batch;

  void score(const HttpRequest& request, HttpReply& reply);
  void judge(const HttpRequest& request, HttpReply& reply);
  void verify_math(const HttpRequest& request, HttpReply& reply);
  void run_code(const HttpRequest& request, HttpReply& reply);
  void submit(const HttpRequest& request, HttpReply& reply);
  /// Whether the queue took all of them; else a refusal has been sent.
  bool push_or_refuse(std::vector<std::function<void()>> tasks, HttpReply& reply);
  void send_first(Batch& answers, HttpReply& reply);
  /// Sends what `task` says once it had its turn in the queue; `task` owns what it needs, for it may outlive the
  /// request.
  void answer_in_turn(HttpReply& reply, std::function<std::string()> task);
  [[nodiscard]] std::string metrics() const;
  /// The answer for one item as JSON text: from memory, or at once for maths; empty where it has to be judged.
  std::string quick_answer(const ScoreItem& item, const std::string& key);
  std::string remembered_answer(const ScoreItem& item, const std::string& key);
  /// The evidence for a code item. Errors: it holds no code.
  Result<std::function<std::string()>> evidence_task(const ScoreItem& item);
  Result<std::string> verdict_on(const nlohmann::json& row);
  std::string judged_answer(const ScoreItem& item, const std::string& key);
  std::string stopping_answer(const ScoreItem& item);
  void refuse(HttpReply& reply, int status, const std::string& sentence);

  Judge& judge_;
  ScorerOptions scoring_;
  RewardServiceOptions options_;
  std::string settings_text_;  // of everything a score depends on beside the request
  ScoreCache cache_;
  LendingPool<Scorer> scorers_;  // each has a maths worker, which is a process
  LendingPool<MathWorker> math_workers_;
  WorkQueue queue_;
  WorkQueue quick_queue_;  // of messages that need no program run
  std::atomic<bool> stopping_ = false;
  std::atomic<std::uint64_t> requests_ = 0;
  std::atomic<std::uint64_t> refused_ = 0;
  std::atomic<std::uint64_t> scores_ = 0;
  std::atomic<std::uint64_t> remembered_ = 0;
  std::atomic<std::uint64_t> unscored_ = 0;
  std::atomic<std::uint64_t> wait_us_ = 0;  // in the queue, all judged items together
  std::atomic<std::uint64_t> judged_ = 0;
};

}  // namespace plumb
