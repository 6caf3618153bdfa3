#include "apps/plumb/math_json.h"

#include <map>

#include "core/escape.h"

namespace plumb {
namespace {

// The response of a row: "pred", or "pred_parts" ([[text, repeat], ...]), or "pred_b64".
Result<std::string> response_of(const nlohmann::json& row) {
  constexpr std::size_t kMostBytes = std::size_t{64} << 20;
  if (row.contains("pred")) {
    return row["pred"].get<std::string>();
  }
  if (row.contains("pred_b64")) {
    return bytes_from_json({{"base64", row["pred_b64"]}});
  }
  if (!row.contains("pred_parts")) {
    return Error{"expected \"pred\", \"pred_parts\" or \"pred_b64\""};
  }
  std::string text;
  for (const auto& part : row["pred_parts"]) {
    const auto piece = part.at(0).get<std::string>();
    const auto repeat = part.at(1).get<std::size_t>();
    if (repeat > kMostBytes || text.size() + piece.size() * repeat > kMostBytes) {
      return Error{"\"pred_parts\" make more than " + std::to_string(kMostBytes) + " bytes"};
    }
    for (std::size_t i = 0; i < repeat; ++i) {
      text += piece;
    }
  }
  return text;
}

Result<MathOptions> options_of(const nlohmann::json& row) {
  MathOptions options;
  if (!row.contains("options")) {
    return options;
  }
  const std::map<std::string, bool*> flags = {
      {"bare_percent", &options.bare_percent},   {"optional_unit", &options.optional_unit},
      {"convert_units", &options.convert_units}, {"unordered_lists", &options.unordered_lists},
      {"decimal_comma", &options.decimal_comma}, {"join_boxes", &options.join_boxes},
      {"last_number", &options.last_number},     {"probably_counts", &options.probably_counts}};
  for (const auto& [key, value] : row["options"].items()) {
    if (const auto flag = flags.find(key); flag != flags.end()) {
      *flag->second = value.get<bool>();
    } else if (key == "decimal_digits") {
      options.decimal_digits = value.get<int>();
    } else if (key == "max_work") {
      options.max_work = value.get<std::int64_t>();
    } else if (key == "seed") {
      options.seed = value.get<std::uint64_t>();
    } else {
      return Error{"the option \"" + key + "\" is not known; docs/math.md lists them"};
    }
  }
  return options;
}

}  // namespace

Result<MathQuestion> math_question_from_json(const nlohmann::json& row) {
  try {
    MathQuestion question;
    if (!row.contains("gold")) {
      return Error{"expected \"gold\", the true answer"};
    }
    question.item.truth = row["gold"].get<std::string>();
    question.item.response = !row.value("bare", false);
    PLUMB_ASSIGN(question.item.text, response_of(row));
    PLUMB_ASSIGN(question.options, options_of(row));
    return question;
  } catch (const nlohmann::json::exception& error) {
    return Error{std::string("a value of another type than expected: ") + error.what()};
  }
}

nlohmann::json math_result_to_json(const MathResult& result, const MathOptions& options) {
  nlohmann::json out = {{"verdict", to_string(result.verdict)},
                        {"equal", accepted(result, options)},
                        {"reason", to_utf8(result.reason)},
                        {"extracted", json_safe(result.extracted)},
                        {"work", result.work}};
  if (!result.fault.empty()) {
    out["fault"] = result.fault;
  }
  return out;
}

}  // namespace plumb
