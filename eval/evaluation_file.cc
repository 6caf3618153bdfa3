// Evaluations on disk: evals/<stage>-<set>-<decoding>.json.

#include <algorithm>
#include <array>
#include <charconv>
#include <system_error>

#include "core/atomic_file.h"
#include "eval/evaluation.h"

namespace plumb {

namespace {

constexpr int kFormat = 1;

Result<Language> language_from(const std::string& name) {
  for (const Language language : {Language::kNone, Language::kCpp, Language::kPython}) {
    if (name == to_string(language)) {
      return language;
    }
  }
  return Error{"unknown language '" + name + "'; expected none, cpp or python"};
}

nlohmann::json to_json(const PromptResult& prompt) {
  return {{"id", prompt.id},
          {"unit", prompt.unit},
          {"family", prompt.family},
          {"language", std::string(to_string(prompt.language))},
          {"n", prompt.n},
          {"c", prompt.c},
          {"c_audit", prompt.c_audit},
          {"truncated", prompt.truncated},
          {"eos", prompt.ended},
          {"unscored", prompt.unscored},
          {"reranked", prompt.reranked},
          {"successes", prompt.successes}};
}

Result<PromptResult> prompt_from_json(const nlohmann::json& json) {
  PromptResult prompt;
  prompt.id = json.at("id").get<std::string>();
  prompt.unit = json.at("unit").get<std::string>();
  prompt.family = json.at("family").get<std::string>();
  PLUMB_ASSIGN(prompt.language, language_from(json.at("language").get<std::string>()));
  prompt.n = json.at("n").get<int>();
  prompt.c = json.at("c").get<int>();
  prompt.c_audit = json.at("c_audit").get<int>();
  prompt.truncated = json.at("truncated").get<int>();
  prompt.ended = json.at("eos").get<int>();
  prompt.unscored = json.at("unscored").get<int>();
  prompt.successes = json.at("successes").get<std::vector<bool>>();
  prompt.reranked = json.value("reranked", -1);
  if (prompt.reranked < -1 || prompt.reranked >= static_cast<int>(prompt.successes.size())) {
    return Error{"prompt '" + prompt.id + "': reranked is none of its samples"};
  }
  const auto right = std::count(prompt.successes.begin(), prompt.successes.end(), true);
  if (prompt.n < 0 || prompt.successes.size() != static_cast<std::size_t>(prompt.n) || right != prompt.c_audit) {
    return Error{"prompt '" + prompt.id + "': n, c_audit and successes do not agree"};
  }
  return prompt;
}

}  // namespace

nlohmann::json to_json(const Evaluation& evaluation) {
  nlohmann::json prompts = nlohmann::json::array();
  for (const PromptResult& prompt : evaluation.prompts) {
    prompts.push_back(to_json(prompt));
  }
  return {{"format", kFormat},
          {"stage", evaluation.stage},
          {"set", evaluation.set},
          {"temperature", evaluation.temperature},
          {"audited", evaluation.audited},
          {"seconds", evaluation.seconds},
          {"prompts", prompts}};
}

Result<Evaluation> evaluation_from_json(const nlohmann::json& json) {
  try {
    if (const int format = json.at("format").get<int>(); format != kFormat) {
      return Error{"format " + std::to_string(format) + " of an evaluation, expected " + std::to_string(kFormat)};
    }
    Evaluation evaluation;
    evaluation.stage = json.at("stage").get<std::string>();
    evaluation.set = json.at("set").get<std::string>();
    evaluation.temperature = json.at("temperature").get<double>();
    evaluation.audited = json.at("audited").get<bool>();
    evaluation.seconds = json.at("seconds").get<double>();
    for (const auto& prompt : json.at("prompts")) {
      PLUMB_ASSIGN(PromptResult result, prompt_from_json(prompt));
      evaluation.prompts.push_back(std::move(result));
    }
    return evaluation;
  } catch (const nlohmann::json::exception& error) {
    return Error{std::string("not an evaluation: ") + error.what()};
  }
}

std::string evaluation_file_name(const Evaluation& evaluation) {
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), evaluation.temperature).ptr;
  const std::string decoding = evaluation.temperature == 0 ? "greedy" : "T" + std::string(digits.data(), end);
  std::string set = evaluation.set;
  std::replace(set.begin(), set.end(), '/', '_');
  return evaluation.stage + "-" + set + "-" + decoding + ".json";
}

Result<void> save_evaluation(const std::filesystem::path& run_dir, const Evaluation& evaluation) {
  const auto folder = run_dir / "evals";
  PLUMB_TRY(ensure_writable_folder(folder.string()));
  return write_file_atomic((folder / evaluation_file_name(evaluation)).string(), to_json(evaluation).dump(1) + "\n");
}

Result<std::vector<Evaluation>> load_evaluations(const std::filesystem::path& run_dir) {
  std::vector<std::filesystem::path> paths;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(run_dir / "evals", error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().extension() == ".json") {
      paths.push_back(entry->path());
    }
  }
  std::sort(paths.begin(), paths.end());
  std::vector<Evaluation> evaluations;
  for (const auto& path : paths) {
    PLUMB_ASSIGN(const std::string text, read_file(path.string()));
    const auto json = nlohmann::json::parse(text, nullptr, false);
    auto evaluation = json.is_discarded() ? Result<Evaluation>(Error{"not valid JSON"}) : evaluation_from_json(json);
    if (!evaluation) {
      return evaluation.error().with_context(path.string());
    }
    evaluations.push_back(std::move(evaluation).value());
  }
  return evaluations;
}

}  // namespace plumb
