#include "reward/rules/custom/custom_reward.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <thread>
#include <utility>

#include "core/escape.h"
#include "core/hash.h"

namespace plumb {
namespace {

using Clock = std::chrono::steady_clock;

std::unique_ptr<LineExchange> exchange_for(const CustomRewardOptions& options) {
  if (!options.command.empty()) {
    return command_exchange(options.command);
  }
  // From the environment: a config is saved with the run, for everybody to read.
  const char* const token = std::getenv("PLUMB_CUSTOM_REWARD_TOKEN");
  return http_exchange(parse_endpoint(options.endpoint).value(), token == nullptr ? "" : token);
}

nlohmann::json question_of(const CustomItem& item) {
  const PromptRecord& prompt = *item.prompt;
  nlohmann::json turns = nlohmann::json::array();
  for (const Message& message : prompt.messages) {
    turns.push_back({{"role", message.role}, {"content", to_utf8(message.content)}});
  }
  return {{"prompt_id", prompt.id},
          {"data_source", prompt.data_source},
          {"domain", to_string(prompt.domain)},
          {"language", to_string(prompt.language)},
          {"prompt", std::move(turns)},
          {"completion", to_utf8(item.completion->text)},
          {"finish_reason", to_string(item.completion->finish_reason)},
          {"num_tokens", item.completion->token_ids.size()},
          {"answer", to_utf8(prompt.answer)},
          {"reference", to_utf8(prompt.reference)},
          {"extra_info", prompt.extra_info}};
}

}  // namespace

// A completion to be scored, with all places of `items` that it stands for.
struct CustomReward::Question {
  nlohmann::json json;
  std::string key;
  std::vector<std::size_t> places;
  std::optional<CustomScore> answer;
  std::string problem;  // why there is none
};

namespace {

// What an answer says: a score, or why there is none. Errors: it is no answer at all.
Result<CustomScore> score_of(const nlohmann::json& answer) {
  if (const auto error = answer.find("error"); error != answer.end() && !error->is_null()) {
    return CustomScore{.fault = error->is_string() ? error->get<std::string>() : error->dump()};
  }
  const auto score = answer.find("score");
  if (score == answer.end() || !score->is_number()) {
    return Error{R"(expected "score": a number from 0 to 1, or "error")"};
  }
  const double value = score->get<double>();
  if (!(value >= 0 && value <= 1)) {
    return Error{"expected a score from 0 to 1, found " + score->dump()};
  }
  const auto reason = answer.find("reason");
  const bool given = reason != answer.end() && reason->is_string();
  return CustomScore{.value = value, .reason = given ? reason->get<std::string>().substr(0, 1000) : "no reason given"};
}

}  // namespace

CustomReward::CustomReward(CustomRewardOptions options, CustomScoreStore* store)
    : CustomReward(options, exchange_for(options), store) {}

CustomReward::CustomReward(CustomRewardOptions options, std::unique_ptr<LineExchange> exchange, CustomScoreStore* store)
    : options_(std::move(options)),
      store_(store),
      exchange_(std::move(exchange)),
      breaker_(options_.breaker_failures, std::chrono::duration_cast<std::chrono::nanoseconds>(
                                              std::chrono::duration<double>(options_.breaker_s))) {}

std::vector<CustomScore> CustomReward::score(std::span<const CustomItem> items) {
  const std::lock_guard lock(mutex_);
  std::vector<std::unique_ptr<Question>> questions;
  std::map<std::string, Question*> by_key;
  for (std::size_t i = 0; i < items.size(); ++i) {
    nlohmann::json json = question_of(items[i]);
    const std::string key = sha256_hex(json.dump());
    Question*& question = by_key[key];
    if (question == nullptr) {
      questions.push_back(std::make_unique<Question>(Question{std::move(json), key, {}, {}, {}}));
      question = questions.back().get();
      question->answer = store_ != nullptr ? store_->find(key) : std::nullopt;
    }
    question->places.push_back(i);
  }
  std::vector<Question*> open;
  for (const auto& question : questions) {
    if (!question->answer) {
      open.push_back(question.get());
    }
  }
  const auto most = static_cast<std::size_t>(options_.batch);
  for (std::size_t first = 0; first < open.size(); first += most) {
    ask(std::span(open).subspan(first, std::min(most, open.size() - first)));
  }
  std::vector<CustomScore> scores(items.size());
  for (const auto& question : questions) {
    const CustomScore score = question->answer.value_or(CustomScore{.fault = "custom reward: " + question->problem});
    for (const std::size_t place : question->places) {
      scores[place] = score;
    }
  }
  return scores;
}

void CustomReward::ask(std::span<Question*> questions) {
  ask_once(questions);
  for (int attempt = 0; attempt < options_.retries; ++attempt) {
    const auto open = [](const Question* question) { return !question->answer; };
    if (std::none_of(questions.begin(), questions.end(), open)) {
      break;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50 << std::min(attempt, 5)));
    // In rounds, so that the failures of one question are not failures in a row.
    for (Question*& question : questions) {
      if (open(question)) {
        ask_once(std::span(&question, 1));
      }
    }
  }
  for (const Question* question : questions) {
    if (question->answer && store_ != nullptr) {
      store_->store(question->key, *question->answer);
    }
  }
}

// One exchange, if the circuit lets it. What came back stands in the questions, whether or not it failed in the end.
void CustomReward::ask_once(std::span<Question*> questions) {
  const auto all_have = [&](const std::string& problem) {
    for (Question* question : questions) {
      question->problem = question->answer ? "" : problem;
    }
  };
  if (!breaker_.allows(Clock::now())) {
    all_have("not asked, as " + std::to_string(options_.breaker_failures) +
             " requests or more in a row had failed; the last: " + last_failure_);
    return;
  }
  std::vector<std::string> lines;
  const std::uint64_t first_id = next_id_;  // never used again: an answer that comes twice must not be the next one's
  for (const Question* question : questions) {
    nlohmann::json json = question->json;
    json["id"] = std::to_string(next_id_++);
    lines.push_back(json.dump());
  }
  std::vector<bool> answered(questions.size(), false);
  const auto take = [&](std::string_view line) -> Result<void> {
    const nlohmann::json json = nlohmann::json::parse(line, nullptr, false);
    const bool object = json.is_object() && json.contains("id");
    const std::string id = !object ? "" : json["id"].is_string() ? json["id"].get<std::string>() : json["id"].dump();
    std::size_t place = 0;
    while (place < questions.size() && std::to_string(first_id + place) != id) {
      ++place;
    }
    if (place == questions.size() || answered[place]) {
      return Error{"expected one {\"id\", \"score\"} for each line asked, found " +
                   strip_terminal(line.substr(0, 120))};
    }
    PLUMB_ASSIGN(CustomScore score, score_of(json));
    answered[place] = true;
    if (score.fault.empty()) {
      questions[place]->answer = std::move(score);
    } else {
      questions[place]->problem = strip_terminal(score.fault.substr(0, 1000));
    }
    return {};
  };
  if (const auto done = exchange_->exchange(lines, options_.timeout_s, take); !done) {
    breaker_.failed(Clock::now());
    last_failure_ = done.error().message;
    all_have(last_failure_);
  } else {
    breaker_.succeeded();
  }
}

}  // namespace plumb
