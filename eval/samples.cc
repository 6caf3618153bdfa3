#include "eval/samples.h"

#include <algorithm>
#include <sstream>
#include <utility>

#include "core/atomic_file.h"
#include "core/escape.h"

namespace plumb {

namespace {

// Compiler output is kept short: a template error can run to pages, and its first lines say what is wrong.
constexpr std::size_t kMaxDiagnostics = 20;
constexpr std::size_t kMaxOutputBytes = 4096;

std::string user_turn(const PromptRecord& prompt) {
  for (auto message = prompt.messages.rbegin(); message != prompt.messages.rend(); ++message) {
    if (message->role == "user") {
      return message->content;
    }
  }
  return {};
}

nlohmann::json to_json(const ScorePart& part) {
  return {{"name", part.name}, {"value", part.value}, {"weight", part.weight}, {"reason", json_safe(part.reason)}};
}

nlohmann::json to_json(const Diagnostic& diagnostic) {
  return {{"severity", diagnostic.severity},
          {"message", json_safe(diagnostic.message)},
          {"line", diagnostic.line},
          {"column", diagnostic.column}};
}

Result<ScorePart> part_from_json(const nlohmann::json& json) {
  ScorePart part;
  part.name = json.at("name").get<std::string>();
  part.value = json.at("value").get<double>();
  part.weight = json.at("weight").get<double>();
  PLUMB_ASSIGN(part.reason, bytes_from_json(json.at("reason")));
  return part;
}

Result<Diagnostic> diagnostic_from_json(const nlohmann::json& json) {
  Diagnostic diagnostic;
  diagnostic.severity = json.at("severity").get<std::string>();
  PLUMB_ASSIGN(diagnostic.message, bytes_from_json(json.at("message")));
  diagnostic.line = json.at("line").get<int>();
  diagnostic.column = json.at("column").get<int>();
  return diagnostic;
}

Result<SampleRecord> read_fields(const nlohmann::json& json) {
  SampleRecord sample;
  sample.stage = json.at("stage").get<std::string>();
  sample.kind = json.at("kind").get<std::string>();
  sample.step = json.at("step").get<std::int64_t>();
  sample.set = json.at("set").get<std::string>();
  sample.temperature = json.at("temperature").get<double>();
  sample.prompt_id = json.at("prompt_id").get<std::string>();
  sample.family = json.value("family", "");
  sample.language = json.at("language").get<std::string>();
  PLUMB_ASSIGN(sample.prompt, bytes_from_json(json.at("prompt")));
  sample.draw = json.value("draw", std::int64_t{0});
  sample.sample = json.at("sample").get<int>();
  PLUMB_ASSIGN(sample.text, bytes_from_json(json.at("text")));
  sample.tokens = json.at("tokens").get<int>();
  sample.token_ends = json.value("token_ends", std::vector<int>());
  sample.log_probs = json.value("log_probs", std::vector<double>());
  if (const auto advantage = json.find("advantage"); advantage != json.end() && advantage->is_number()) {
    sample.advantage = advantage->get<double>();
  }
  sample.token_advantages = json.value("token_advantages", std::vector<double>());
  for (const auto& step : json.value("steps", nlohmann::json::array())) {
    sample.steps.push_back({step.at("end").get<std::int64_t>(), step.at("score").get<double>()});
  }
  sample.finish = json.at("finish").get<std::string>();
  sample.reward = json.at("reward").get<double>();
  for (const auto& part : json.at("parts")) {
    PLUMB_ASSIGN(ScorePart read, part_from_json(part));
    sample.parts.push_back(std::move(read));
  }
  PLUMB_ASSIGN(sample.unscored, bytes_from_json(json.at("unscored")));
  sample.audit = json.at("audit").get<int>();
  sample.verdict = json.at("verdict").get<std::string>();
  sample.passed = json.value("passed", 0);
  sample.tests = json.value("tests", 0);
  for (const auto& diagnostic : json.at("diagnostics")) {
    PLUMB_ASSIGN(Diagnostic read, diagnostic_from_json(diagnostic));
    sample.diagnostics.push_back(std::move(read));
  }
  PLUMB_ASSIGN(sample.output, bytes_from_json(json.at("output")));
  return sample;
}

}  // namespace

SampleRecord sample_record(const ScoredGroup& scored, std::size_t index) {
  const PromptRecord& prompt = *scored.group.prompt;
  const Completion& completion = scored.group.completions[index];
  const Score& score = scored.scores[index];
  SampleRecord sample;
  sample.prompt_id = prompt.id;
  sample.family = prompt.family;
  sample.language = to_string(prompt.language);
  sample.prompt = user_turn(prompt);
  sample.draw = scored.group.draw;
  sample.sample = static_cast<int>(index);
  sample.text = completion.text;
  sample.tokens = static_cast<int>(completion.token_ids.size());
  sample.finish = to_string(completion.finish_reason);
  sample.reward = score.total;
  sample.steps = score.steps;
  sample.parts = score.parts;
  sample.unscored = score.unscored.value_or("");
  sample.audit = score.audit ? static_cast<int>(*score.audit) : -1;
  if (score.evidence) {
    for (const Diagnostic& diagnostic : score.evidence->diagnostics) {
      // What a compiler warned of is no reason why a program that it compiled failed.
      const bool is_reason = diagnostic.severity != "warning" || score.evidence->verdict == Verdict::kCE;
      if (is_reason && sample.diagnostics.size() < kMaxDiagnostics) {
        sample.diagnostics.push_back(diagnostic);
      }
    }
    sample.verdict = to_string(score.evidence->verdict);
    sample.passed = score.evidence->passed;
    sample.tests = score.evidence->total;
    sample.output = score.evidence->output.substr(0, kMaxOutputBytes);
  }
  return sample;
}

nlohmann::json to_json(const SampleRecord& sample) {
  nlohmann::json parts = nlohmann::json::array();
  for (const ScorePart& part : sample.parts) {
    parts.push_back(to_json(part));
  }
  nlohmann::json diagnostics = nlohmann::json::array();
  for (const Diagnostic& diagnostic : sample.diagnostics) {
    diagnostics.push_back(to_json(diagnostic));
  }
  nlohmann::json json = {{"stage", sample.stage},
                         {"kind", sample.kind},
                         {"step", sample.step},
                         {"set", sample.set},
                         {"temperature", sample.temperature},
                         {"prompt_id", sample.prompt_id},
                         {"family", sample.family},
                         {"language", sample.language},
                         {"prompt", json_safe(sample.prompt)},
                         {"draw", sample.draw},
                         {"sample", sample.sample},
                         {"text", json_safe(sample.text)},
                         {"tokens", sample.tokens},
                         {"finish", sample.finish},
                         {"reward", sample.reward},
                         {"parts", parts},
                         {"unscored", json_safe(sample.unscored)},
                         {"audit", sample.audit},
                         {"verdict", sample.verdict},
                         {"diagnostics", diagnostics},
                         {"output", json_safe(sample.output)}};
  if (!sample.log_probs.empty()) {
    json["token_ends"] = sample.token_ends;
    json["log_probs"] = sample.log_probs;
  }
  if (sample.tests > 0) {
    json["passed"] = sample.passed;
    json["tests"] = sample.tests;
  }
  if (!sample.token_advantages.empty()) {
    json["token_advantages"] = sample.token_advantages;
  }
  for (const ScoredStep& step : sample.steps) {
    json["steps"].push_back({{"end", step.end}, {"score", step.score}});
  }
  if (sample.kind == "train") {
    json["advantage"] = sample.advantage ? nlohmann::json(*sample.advantage) : nlohmann::json();
  }
  return json;
}

Result<SampleRecord> sample_from_json(const nlohmann::json& json) {
  try {
    return read_fields(json);
  } catch (const nlohmann::json::exception& error) {
    return Error{std::string("not a sample: ") + error.what()};
  }
}

Result<std::vector<SampleRecord>> read_samples(const std::string& path) {
  PLUMB_ASSIGN(const std::string text, read_file(path));
  std::vector<SampleRecord> samples;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const nlohmann::json json = nlohmann::json::parse(line, nullptr, false);
    auto sample = json.is_discarded() ? Result<SampleRecord>(Error{"not JSON"}) : sample_from_json(json);
    if (!sample) {
      return sample.error().with_context(path + ":" + std::to_string(samples.size() + 1));
    }
    samples.push_back(std::move(*sample));
  }
  return samples;
}

bool is_solved(const SampleRecord& sample) {
  return sample.unscored.empty() && !sample.parts.empty() && sample.parts.front().value >= 1;
}

}  // namespace plumb
