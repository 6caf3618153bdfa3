#include "apps/plumb/reward_server_service.h"

#include <fmt/format.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <optional>
#include <utility>

#include "core/config.h"
#include "reward/rules/feedback.h"

namespace plumb {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLookForClient{200};
constexpr std::size_t kMathsAtOnce = 8;  // a hard question must not hold up the easy ones

std::string settings_text(const ScorerOptions& scoring) {
  RewardOptions reward = scoring.reward;
  Config config;
  config.add("reward", reward);
  return fmt::format("{} {} {} {}", config.checksum(), scoring.limits.cpu_s, scoring.limits.wall_s,
                     scoring.limits.memory_mib);
}

}  // namespace

// Answers come from several threads and leave by the connection's own. Who hangs up is not worked for any more.
struct RewardService::Batch {
  std::atomic<bool> abandoned = false;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::pair<std::size_t, std::string>> ready;

  void put(std::size_t index, std::string answer) {
    const std::lock_guard lock(mutex);
    ready.emplace_back(index, std::move(answer));
    changed.notify_one();
  }
  // Nothing where the client is gone.
  std::optional<std::pair<std::size_t, std::string>> take(const HttpReply& reply) {
    std::unique_lock lock(mutex);
    while (!changed.wait_for(lock, kLookForClient, [this] { return !ready.empty(); })) {
      if (reply.client_is_gone()) {
        abandoned = true;
        return std::nullopt;
      }
    }
    auto first = std::move(ready.front());
    ready.pop_front();
    return first;
  }
};

RewardService::RewardService(Judge& judge, const ScorerOptions& scoring, const RewardServiceOptions& options)
    : judge_(judge),
      scoring_(scoring),
      options_(options),
      settings_text_(settings_text(scoring)),
      cache_(options.remembered_mib << 20),
      scorers_(static_cast<std::size_t>(options.threads) + kMathsAtOnce,
               [this] { return std::make_unique<Scorer>(judge_, scoring_); }),
      math_workers_(kMathsAtOnce, [this] { return std::make_unique<MathWorker>(scoring_.math_worker); }),
      queue_(options.threads, options.queue),
      quick_queue_(kMathsAtOnce, options.queue) {
  // A worker that cannot be started says so at each question, as a fault.
  scorers_.make_all([](Scorer& scorer) { static_cast<void>(scorer.start()); });
}

void RewardService::handle(const HttpRequest& request, HttpReply& reply) {
  ++requests_;
  if (request.method == "GET" && request.target == "/healthz") {
    reply.send(200, "{\"status\":\"ok\"}\n");
  } else if (request.method == "GET" && request.target == "/metrics") {
    reply.send(200, metrics(), "text/plain; version=0.0.4");
  } else if (request.method == "POST" && request.target == "/v1/score") {
    score(request, reply);
  } else if (request.method == "POST" && request.target == "/v1/judge") {
    judge(request, reply);
  } else if (request.method == "POST" && request.target == "/v1/verify_math") {
    verify_math(request, reply);
  } else if (request.method == "POST" && request.target == "/run_code") {
    run_code(request, reply);
  } else if (request.method == "POST" && request.target == "/submit") {
    submit(request, reply);
  } else {
    refuse(reply, 404,
           "expected POST /v1/score, /v1/judge, /v1/verify_math, /run_code or /submit, GET /healthz or GET /metrics");
  }
}

void RewardService::refuse(HttpReply& reply, int status, const std::string& sentence) {
  ++refused_;
  reply.send(status, error_text(sentence) + "\n");
}

void RewardService::score(const HttpRequest& request, HttpReply& reply) {
  auto asked = read_score_request(request.body, options_.max_items);
  if (!asked || (!asked->batch && !asked->items.front())) {
    refuse(reply, 400, asked ? asked->items.front().error().message : asked.error().message);
    return;
  }
  std::vector<Result<ScoreItem>>& items = asked->items;
  const auto answers = std::make_shared<Batch>();
  std::vector<std::function<void()>> tasks;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (!items[i]) {
      answers->put(i, error_text(items[i].error().message));
      continue;
    }
    const auto item = std::make_shared<const ScoreItem>(std::move(*items[i]));
    std::string key = ScoreCache::key(settings_text_, item->question);
    if (std::string answer = quick_answer(*item, key); !answer.empty()) {
      answers->put(i, std::move(answer));
      continue;
    }
    tasks.push_back([this, i, item, key, answers, start = Clock::now()] {
      wait_us_ += static_cast<std::uint64_t>(
          std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start).count());
      if (!answers->abandoned) {
        answers->put(i, stopping_ ? stopping_answer(*item) : judged_answer(*item, key));
      }
    });
  }
  if (!tasks.empty() && !push_or_refuse(std::move(tasks), reply)) {
    return;
  }
  if (!asked->batch) {
    send_first(*answers, reply);
    return;
  }
  bool connected = reply.begin(200, "application/x-ndjson");
  for (std::size_t i = 0; connected && i < items.size(); ++i) {
    const auto answer = answers->take(reply);
    connected = answer && reply.write(fmt::format("{{\"index\":{},\"result\":{}}}\n", answer->first, answer->second));
  }
  answers->abandoned = !connected;
}

bool RewardService::push_or_refuse(std::vector<std::function<void()>> tasks, HttpReply& reply) {
  const std::size_t count = tasks.size();
  if (count > options_.queue) {  // it would be refused for ever
    refuse(reply, 413,
           fmt::format("{} items have to be judged and the queue holds {}: send fewer at once, or start "
                       "the server with --queue {}",
                       count, options_.queue, count));
    return false;
  }
  if (!queue_.push(std::move(tasks))) {
    refuse(reply, 503, fmt::format("the queue is full ({} items); try again later", options_.queue));
    return false;
  }
  return true;
}

void RewardService::send_first(Batch& answers, HttpReply& reply) {
  if (const auto answer = answers.take(reply)) {
    reply.send(200, answer->second + "\n");
  }
}

std::string RewardService::quick_answer(const ScoreItem& item, const std::string& key) {
  std::string known = remembered_answer(item, key);
  const bool slow = needs_judge(item) || scoring_.reward.custom.used();
  return known.empty() && !slow ? judged_answer(item, key) : known;
}

std::string RewardService::remembered_answer(const ScoreItem& item, const std::string& key) {
  const auto known = cache_.find(key);
  if (known == nullptr) {
    return {};
  }
  ++remembered_;
  ++scores_;
  return item.id.is_null() ? *known : fmt::format("{{\"id\":{},{}", text_of(item.id), known->substr(1));
}

std::string RewardService::judged_answer(const ScoreItem& item, const std::string& key) {
  CompletionGroup group;
  group.prompt = item.prompt;
  group.completions.resize(1);
  group.completions[0].text = item.completion;
  group.completions[0].finish_reason = FinishReason::kEndOfSequence;
  std::vector<CompletionGroup> groups;
  groups.push_back(std::move(group));
  const std::vector<ScoredGroup> scored =
      scorers_.with([&](Scorer& scorer) { return scorer.score(std::move(groups)); });
  const Score& score = scored.front().scores.front();
  ++scores_;
  ++judged_;
  unscored_ += score.unscored ? 1 : 0;
  nlohmann::json json = score_to_json(score);
  if (item.prompt->domain == Domain::kCode && !score.unscored && !scoring_.reward.custom.is_verdict()) {
    json["feedback"] = feedback(score, item.completion);
  }
  if (!score.unscored) {
    cache_.store(key, text_of(json));
  }
  if (!item.id.is_null()) {
    json["id"] = item.id;
  }
  return text_of(json);
}

std::string RewardService::stopping_answer(const ScoreItem& item) {
  ++unscored_;
  Score score;
  score.unscored = kStopping;
  nlohmann::json json = score_to_json(score);
  if (!item.id.is_null()) {
    json["id"] = item.id;
  }
  return text_of(json);
}

void RewardService::answer_in_turn(HttpReply& reply, std::function<std::string()> task) {
  const auto answers = std::make_shared<Batch>();
  std::vector<std::function<void()>> tasks;
  tasks.push_back([this, task = std::move(task), answers] {
    if (!answers->abandoned) {
      answers->put(0, stopping_ ? error_text(kStopping) : task());
    }
  });
  if (push_or_refuse(std::move(tasks), reply)) {
    send_first(*answers, reply);
  }
}

std::string RewardService::metrics() const {
  const auto counter = [](const char* name, const char* help, std::uint64_t value) {
    return fmt::format("# HELP {0} {1}\n# TYPE {0} counter\n{0} {2}\n", name, help, value);
  };
  return counter("plumb_reward_requests_total", "HTTP requests", requests_) +
         counter("plumb_reward_refused_total", "requests refused: malformed, unknown or beyond the queue", refused_) +
         counter("plumb_reward_scores_total", "scores given", scores_) +
         counter("plumb_reward_scores_remembered_total", "scores given without judging", remembered_) +
         counter("plumb_reward_unscored_total", "scores lost to a fault of our own", unscored_) +
         counter("plumb_reward_judged_total", "scores worked out", judged_) +
         counter("plumb_reward_queue_wait_microseconds_total", "time that judged items waited", wait_us_) +
         fmt::format(
             "# HELP plumb_reward_queue_items items waiting or running\n# TYPE plumb_reward_queue_items gauge\n"
             "plumb_reward_queue_items {}\n",
             queue_.size() + quick_queue_.size());
}

}  // namespace plumb
