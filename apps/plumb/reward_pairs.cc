#include "apps/plumb/reward_pairs.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/atomic_file.h"
#include "core/rng.h"

namespace plumb {
namespace {

std::vector<std::int32_t> completion_tokens(const std::string& text, const Tokenizer& tokenizer) {
  std::vector<std::int32_t> tokens = tokenizer.encode(text, false);
  tokens.push_back(tokenizer.eos_id());
  return tokens;
}

Result<PairRecord> parse_pair(const nlohmann::json& json, const Workbench& bench, double margin_scale) {
  PairRecord record;
  for (const char* key : {"prompt_id", "prompt", "chosen", "rejected"}) {
    if (!json.is_object() || !json.contains(key) || !json[key].is_string()) {
      return Error{fmt::format("expected an object with a text \"{}\"", key)};
    }
  }
  record.prompt_id = json["prompt_id"].get<std::string>();
  record.family = record.prompt_id.substr(0, record.prompt_id.rfind('/'));
  const std::vector<Message> messages = {{"user", json["prompt"].get<std::string>()}};
  PLUMB_ASSIGN(const std::string prompt, bench.chat_template().render(messages, true));
  record.pair.prompt = bench.tokenizer().encode(prompt);
  record.pair.chosen = completion_tokens(json["chosen"].get<std::string>(), bench.tokenizer());
  record.pair.rejected = completion_tokens(json["rejected"].get<std::string>(), bench.tokenizer());
  const auto margin = json.find("margin");
  record.pair.margin = margin != json.end() && margin->is_number() ? margin_scale * margin->get<double>() : 0;
  const auto text_at = [&](const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  const auto log_prob_of = [&](const char* key, const std::vector<std::int32_t>& tokens) {
    const auto found = json.find(key);
    return found != json.end() && found->is_number() ? found->get<double>() / static_cast<double>(tokens.size())
                                                     : std::nan("");
  };
  record.chosen_log_prob = log_prob_of("chosen_log_prob", record.pair.chosen);
  record.rejected_log_prob = log_prob_of("rejected_log_prob", record.pair.rejected);
  record.pair.tie = json.contains("tie") && json["tie"].is_boolean() && json["tie"].get<bool>();
  record.rejected_verdict = text_at("rejected_verdict");
  record.ended = text_at("rejected_finish") != "length";
  return record;
}

}  // namespace

bool is_hard(const PairRecord& record) {
  const auto chosen = static_cast<double>(record.pair.chosen.size());
  const auto rejected = static_cast<double>(record.pair.rejected.size());
  const bool alike = std::min(chosen, rejected) >= 0.8 * std::max(chosen, rejected);
  return record.ended && alike && record.rejected_verdict != "CE";
}

Result<std::vector<PairRecord>> read_pairs(const std::string& path, const Workbench& bench, double margin_scale) {
  PLUMB_ASSIGN(const std::string text, read_file(path));
  std::vector<PairRecord> records;
  int line_number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    ++line_number;
    const auto json = nlohmann::json::parse(text.substr(begin, end - begin), nullptr, false);
    auto record = parse_pair(json, bench, margin_scale);
    if (!record) {
      return record.error().with_context(fmt::format("{}:{}", path, line_number));
    }
    records.push_back(std::move(*record));
    begin = end + 1;
  }
  return records;
}

bool is_held_out(const std::string& family, double share) {
  // Through a stream: names that differ in their last letter alone have hashes that are near each other.
  return RngStream(RngPurpose::kData, 0, stable_hash("held out " + family)).uniform(0) < static_cast<float>(share);
}

}  // namespace plumb
