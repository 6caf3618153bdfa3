#include "apps/plumb/reward_pairs.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/atomic_file.h"
#include "tokenizer/step_tokens.h"

namespace plumb {
namespace {

std::vector<std::int32_t> completion_tokens(const std::string& text, const Tokenizer& tokenizer) {
  std::vector<std::int32_t> tokens = tokenizer.encode(text, false);
  tokens.push_back(tokenizer.eos_id());
  return tokens;
}

Result<void> check_length(std::size_t prompt, std::size_t completion, Workbench& bench) {
  const std::int64_t most = bench.policy().config().max_positions;
  if (static_cast<std::int64_t>(prompt + completion) > most) {
    return Error{fmt::format("expected at most {} tokens, the model's context; found {}; leave the row out", most,
                             prompt + completion)};
  }
  return {};
}

std::string text_at(const nlohmann::json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// A token's on average; NaN where the row does not say.
double log_prob_at(const nlohmann::json& json, const char* key, const std::vector<std::int32_t>& tokens) {
  const auto found = json.find(key);
  return found != json.end() && found->is_number() ? found->get<double>() / static_cast<double>(tokens.size())
                                                   : std::nan("");
}

// Maths and chat are asked for in no language ("none").
bool is_code(const nlohmann::json& json) {
  const std::string language = text_at(json, "language");
  return !language.empty() && language != "none";
}

// All but the id of the prompt.
void add_facts(const nlohmann::json& json, const std::vector<std::int32_t>& tokens, CompletionFacts& facts) {
  facts.family = text_at(json, "family");
  facts.code = is_code(json);
  facts.verdict = text_at(json, "verdict");
  facts.ended = text_at(json, "finish") != "length";
  facts.log_prob = log_prob_at(json, "log_prob", tokens);
}

Result<std::vector<std::int32_t>> prompt_tokens(const std::vector<Message>& messages, Workbench& bench) {
  PLUMB_ASSIGN(const std::string prompt, bench.chat_template().render(messages, true));
  return bench.tokenizer().encode(prompt);
}

Result<PairRecord> parse_pair(const nlohmann::json& json, Workbench& bench, double margin_scale) {
  PairRecord record;
  for (const char* key : {"prompt_id", "prompt", "chosen", "rejected"}) {
    if (!json.is_object() || !json.contains(key) || !json[key].is_string()) {
      return Error{fmt::format("expected an object with a text \"{}\"{}", key,
                               json.is_object() && json.contains("pass_rate")
                                   ? ", found a \"pass_rate\": set rm.objective to regression or classification"
                                   : "")};
    }
  }
  record.prompt_id = json["prompt_id"].get<std::string>();
  record.family = text_at(json, "family");
  PLUMB_ASSIGN(record.pair.prompt, prompt_tokens({{"user", json["prompt"].get<std::string>()}}, bench));
  record.pair.chosen = completion_tokens(json["chosen"].get<std::string>(), bench.tokenizer());
  record.pair.rejected = completion_tokens(json["rejected"].get<std::string>(), bench.tokenizer());
  PLUMB_TRY(
      check_length(record.pair.prompt.size(), std::max(record.pair.chosen.size(), record.pair.rejected.size()), bench));
  const auto margin = json.find("margin");
  record.pair.margin = margin != json.end() && margin->is_number() ? margin_scale * margin->get<double>() : 0;
  record.chosen_log_prob = log_prob_at(json, "chosen_log_prob", record.pair.chosen);
  record.rejected_log_prob = log_prob_at(json, "rejected_log_prob", record.pair.rejected);
  record.pair.tie = json.contains("tie") && json["tie"].is_boolean() && json["tie"].get<bool>();
  record.code = is_code(json);
  record.rejected_verdict = text_at(json, "rejected_verdict");
  record.chosen_verdict = text_at(json, "chosen_verdict");
  record.ended = text_at(json, "rejected_finish") != "length" && text_at(json, "chosen_finish") != "length";
  return record;
}

// "prompt", a text or turns, or "messages".
Result<std::vector<Message>> turns_of(const nlohmann::json& json) {
  if (json.contains("prompt") && json["prompt"].is_string()) {
    return std::vector<Message>{{"user", json["prompt"].get<std::string>()}};
  }
  const char* key = json.contains("prompt") ? "prompt" : "messages";
  if (!json.contains(key) || !json[key].is_array() || json[key].empty()) {
    return Error{"expected \"prompt\", a text or a list of turns, or \"messages\", such a list"};
  }
  std::vector<Message> turns;
  for (const nlohmann::json& turn : json[key]) {
    if (!turn.is_object() || text_at(turn, "role").empty() || !turn.contains("content")) {
      return Error{fmt::format("\"{}\": expected turns of {{\"role\", \"content\"}}, found {}", key, turn.dump())};
    }
    turns.push_back({text_at(turn, "role"), text_at(turn, "content")});
  }
  return turns;
}

Result<RatedRecord> parse_rated(const nlohmann::json& json, Workbench& bench) {
  RatedRecord record;
  for (const char* key : {"id", "completion"}) {
    if (!json.is_object() || !json.contains(key) || !json[key].is_string()) {
      return Error{fmt::format(
          "expected an object with a text \"{}\"{}", key,
          json.is_object() && json.contains("chosen") ? ", found a preference pair: set rm.objective to pairs" : "")};
    }
  }
  const auto rate = json.find("pass_rate");
  if (rate == json.end() || !rate->is_number() || !(rate->get<double>() >= 0 && rate->get<double>() <= 1)) {
    return Error{
        fmt::format("expected a number from 0 to 1 as \"pass_rate\", found {}; it is the share of its tests "
                    "that the completion passes",
                    rate == json.end() ? "none" : rate->dump())};
  }
  record.rated.pass_rate = rate->get<double>();
  const auto id = json["id"].get<std::string>();
  const std::string named = text_at(json, "prompt_id");
  record.prompt_id = named.empty() ? id.substr(0, id.rfind('#')) : named;
  PLUMB_ASSIGN(const std::vector<Message> turns, turns_of(json));
  PLUMB_ASSIGN(record.rated.prompt, prompt_tokens(turns, bench));
  record.rated.completion = completion_tokens(json["completion"].get<std::string>(), bench.tokenizer());
  PLUMB_TRY(check_length(record.rated.prompt.size(), record.rated.completion.size(), bench));
  add_facts(json, record.rated.completion, record);
  return record;
}

Result<double> label_of(const nlohmann::json& json) {
  const double label = json.is_boolean() ? (json.get<bool>() ? 1 : 0) : json.is_number() ? json.get<double>() : -1;
  if (!(label >= 0 && label <= 1)) {
    return Error{fmt::format("\"labels\": expected true, false or a number from 0 to 1, found {}", json.dump())};
  }
  return label;
}

// "completions" and "labels", as many of each.
Result<void> parse_steps(const nlohmann::json& json, const Tokenizer& tokenizer, SteppedCompletion& stepped) {
  std::vector<std::string> texts;
  for (const nlohmann::json& step : json["completions"]) {
    if (!step.is_string()) {
      return Error{fmt::format("\"completions\": expected the texts of its steps, found {}", step.dump())};
    }
    texts.push_back(step.get<std::string>());
  }
  const auto labels = json.find("labels");
  if (texts.empty() || labels == json.end() || !labels->is_array() || labels->size() != texts.size()) {
    return Error{
        fmt::format("expected \"labels\", a list with one of each of the {} steps in \"completions\", found {}",
                    texts.size(), labels == json.end() ? "none" : labels->dump())};
  }
  const TokenisedSteps tokenised = tokenise_steps(texts, tokenizer);
  stepped.completion = tokenised.tokens;
  for (const StepInTokens& step : tokenised.steps) {
    stepped.ends.push_back(step.end);
    PLUMB_ASSIGN(stepped.labels.emplace_back(), label_of((*labels)[step.step]));
  }
  return {};
}

Result<SteppedRecord> parse_stepped(const nlohmann::json& json, Workbench& bench) {
  if (!json.is_object() || !json.contains("completions") || !json["completions"].is_array()) {
    const bool other = json.is_object() && (json.contains("chosen") || json.contains("pass_rate"));
    return Error{fmt::format("expected an object with \"completions\", a list of the texts of its steps{}",
                             other ? ", found a row of another kind: make steps with plumb data rm-from-rollouts "
                                     "--steps, or set rm.objective to what the file holds"
                                   : "")};
  }
  SteppedRecord record;
  PLUMB_ASSIGN(const std::vector<Message> turns, turns_of(json));
  PLUMB_ASSIGN(record.stepped.prompt, prompt_tokens(turns, bench));
  PLUMB_TRY(parse_steps(json, bench.tokenizer(), record.stepped));
  PLUMB_TRY(check_length(record.stepped.prompt.size(), record.stepped.completion.size(), bench));
  const std::string id = text_at(json, "id");
  const std::string named = text_at(json, "prompt_id");
  record.prompt_id = named.empty() ? id.substr(0, id.rfind('#')) : named;
  add_facts(json, record.stepped.completion, record);
  if (named.empty() && id.find('#') == std::string::npos) {
    // Somebody else's ids: slashes in them say nothing of families, and each row may have one of its own.
    record.prompt_id = json.contains("prompt") ? json["prompt"].dump() : json["messages"].dump();
    record.family = record.family.empty() ? record.prompt_id : record.family;
  }
  return record;
}

// Each line by `parse`, a function of JSON. Errors name file and line.
template <typename Record, typename Parse>
Result<std::vector<Record>> read_lines(const std::string& path, const Parse& parse) {
  PLUMB_ASSIGN(const std::string text, read_file(path));
  std::vector<Record> records;
  int line_number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    ++line_number;
    if (text.find_first_not_of(" \t\r", begin) == end) {
      begin = end + 1;
      continue;
    }
    Result<Record> record = parse(nlohmann::json::parse(text.substr(begin, end - begin), nullptr, false));
    if (!record) {
      return record.error().with_context(fmt::format("{}:{}", path, line_number));
    }
    records.push_back(std::move(*record));
    begin = end + 1;
  }
  return records;
}

}  // namespace

Result<std::vector<PairRecord>> read_pairs(const std::string& path, Workbench& bench, double margin_scale) {
  return read_lines<PairRecord>(path,
                                [&](const nlohmann::json& json) { return parse_pair(json, bench, margin_scale); });
}

Result<std::vector<RatedRecord>> read_rated(const std::string& path, Workbench& bench) {
  return read_lines<RatedRecord>(path, [&](const nlohmann::json& json) { return parse_rated(json, bench); });
}

Result<std::vector<SteppedRecord>> read_steps(const std::string& path, Workbench& bench) {
  return read_lines<SteppedRecord>(path, [&](const nlohmann::json& json) { return parse_stepped(json, bench); });
}

}  // namespace plumb
