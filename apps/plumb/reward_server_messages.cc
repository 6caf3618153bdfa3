// The reward service's answers to messages (reward/service/message_server.h).

#include <fmt/format.h>

#include <chrono>

#include "apps/plumb/reward_server_service.h"
#include "datasets/row.h"

namespace plumb {
namespace {

using Clock = std::chrono::steady_clock;
using Status = MessageAnswer::Status;

}  // namespace

void RewardService::handle(MessageCall call, std::function<void(MessageAnswer)> answer) {
  ++requests_;
  const auto refuse = [&](Status status, std::string why) {
    ++refused_;
    answer({status, std::move(why)});
  };
  auto body = parse_json(call.json, "body");
  if (!body) {
    refuse(Status::kInvalid, body.error().message);
    return;
  }
  std::function<std::string()> work;
  bool runs_program = false;
  if (call.kind == MessageCall::Kind::kVerifyMath) {
    work = [this, row = std::move(*body)] {
      const auto verdict = verdict_on(row);
      return verdict ? *verdict : error_text(verdict.error().message);
    };
  } else {
    auto item = read_score_item(*body);
    if (!item) {
      refuse(Status::kInvalid, item.error().message);
      return;
    }
    if (call.kind == MessageCall::Kind::kJudge) {
      auto task = evidence_task(*item);
      if (!task) {
        refuse(Status::kInvalid, task.error().message);
        return;
      }
      work = std::move(*task);
      runs_program = true;
    } else {
      const std::string key = ScoreCache::key(settings_text_, item->question);
      if (std::string known = remembered_answer(*item, key); !known.empty()) {
        answer({Status::kOk, std::move(known)});
        return;
      }
      runs_program = needs_judge(*item);
      work = [this, item = std::make_shared<const ScoreItem>(std::move(*item)), key] {
        return judged_answer(*item, key);
      };
    }
  }
  std::vector<std::function<void()>> tasks;
  tasks.push_back([this, work = std::move(work), answer, start = Clock::now()] {
    wait_us_ +=
        static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start).count());
    if (stopping_) {
      answer({Status::kBusy, kStopping});
    } else {
      answer({Status::kOk, work()});
    }
  });
  if (!(runs_program ? queue_ : quick_queue_).push(std::move(tasks))) {
    refuse(Status::kBusy, fmt::format("the queue is full ({} items); try again later", options_.queue));
  }
}

}  // namespace plumb
