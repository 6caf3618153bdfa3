// What the reward server answers beside scores: evidence, maths verdicts, and SandboxFusion's requests.

#include <fmt/format.h>

#include <span>

#include "apps/plumb/judge_json.h"
#include "apps/plumb/math_json.h"
#include "apps/plumb/reward_server_service.h"
#include "apps/plumb/sandbox_fusion.h"
#include "datasets/row.h"
#include "reward/rules/code_block.h"

namespace plumb {

void RewardService::judge(const HttpRequest& request, HttpReply& reply) {
  auto asked = read_score_request(request.body, 1);
  if (!asked || asked->items.empty() || !asked->items.front()) {
    refuse(reply, 400,
           !asked                 ? asked.error().message
           : asked->items.empty() ? "no item"
                                  : asked->items.front().error().message);
    return;
  }
  auto task = evidence_task(*asked->items.front());
  task ? answer_in_turn(reply, std::move(*task)) : refuse(reply, 400, task.error().message);
}

Result<std::function<std::string()>> RewardService::evidence_task(const ScoreItem& item) {
  const auto block = first_code_block(item.completion);
  if (item.prompt->domain != Domain::kCode || !block) {
    return Error{"completion: expected a closed code block for a code task"};
  }
  return std::function<std::string()>(
      [this, submission = make_submission(*item.prompt, block->source, scoring_.limits)] {
        return text_of(evidence_to_json(judge_.judge(submission)));
      });
}

Result<std::string> RewardService::verdict_on(const nlohmann::json& row) {
  if (!row.is_object()) {
    return Error{"an item must be an object"};
  }
  PLUMB_ASSIGN(const MathQuestion question, math_question_from_json(row));
  const std::vector<MathResult> results = math_workers_.with(
      [&](MathWorker& worker) { return worker.verify(std::span(&question.item, 1), question.options); });
  nlohmann::json json = math_result_to_json(results.front(), question.options);
  if (row.contains("id")) {
    json["id"] = row["id"];
  }
  return text_of(json);
}

void RewardService::verify_math(const HttpRequest& request, HttpReply& reply) {
  const auto body = parse_json(request.body, "body");
  if (!body) {
    refuse(reply, 400, body.error().message);
    return;
  }
  if (!body->is_object() || !body->contains("items")) {
    const auto text = verdict_on(*body);
    text ? static_cast<void>(reply.send(200, *text + "\n")) : refuse(reply, 400, text.error().message);
    return;
  }
  const nlohmann::json& items = (*body)["items"];
  if (!items.is_array() || items.size() > options_.max_items) {
    refuse(reply, 400, fmt::format("items: expected a list of at most {}", options_.max_items));
    return;
  }
  bool connected = reply.begin(200, "application/x-ndjson");
  for (std::size_t i = 0; connected && i < items.size(); ++i) {
    const auto text = verdict_on(items[i]);
    connected = reply.write(
        fmt::format("{{\"index\":{},\"result\":{}}}\n", i, text ? *text : error_text(text.error().message)));
  }
}

void RewardService::run_code(const HttpRequest& request, HttpReply& reply) {
  const auto body = parse_json(request.body, "body");
  Result<Submission> submission = body ? run_code_from_json(*body) : Result<Submission>(body.error());
  if (!submission) {  // its clients look for this in an answer, not for a status
    ++refused_;
    reply.send(200, text_of(sandbox_error(submission.error().message)) + "\n");
    return;
  }
  answer_in_turn(reply, [this, submission = std::move(*submission)] {
    return text_of(run_code_to_json(submission, judge_.judge(submission)));
  });
}

void RewardService::submit(const HttpRequest& request, HttpReply& reply) {
  const auto body = parse_json(request.body, "body");
  Result<FusionSubmit> asked = body ? submit_from_json(*body) : Result<FusionSubmit>(body.error());
  if (!asked) {
    refuse(reply, 400, asked.error().message);
    return;
  }
  answer_in_turn(reply, [this, asked = std::move(*asked)] {
    Evidence evidence;
    evidence.verdict = Verdict::kWA;  // of a completion without a closed code block
    if (!asked.submission.source.empty()) {
      evidence = judge_.judge(asked.submission);
    }
    return text_of(submit_to_json(asked, evidence));
  });
}

}  // namespace plumb
