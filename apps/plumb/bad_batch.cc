#include "apps/plumb/bad_batch.h"

#include <fmt/format.h>

#include <span>

#include "core/atomic_file.h"
#include "core/escape.h"

namespace plumb {
namespace {

void add_text(const std::string& name, std::span<const std::int32_t> tokens, const Tokenizer& tokenizer,
              nlohmann::json& row) {
  row[name] = json_safe(tokenizer.decode(tokens, false));
  row[name + "_tokens"] = std::vector<std::int32_t>(tokens.begin(), tokens.end());
}

}  // namespace

nlohmann::json bad_batch_row(const std::string& id, const SftExample& example, const Tokenizer& tokenizer) {
  nlohmann::json row = {{"id", json_safe(id)}, {"trained", example.trained}};
  add_text("text", example.tokens, tokenizer, row);
  return row;
}

nlohmann::json bad_batch_row(const RewardPair& pair, const Tokenizer& tokenizer) {
  nlohmann::json row = {{"margin", pair.margin}, {"tie", pair.tie}};
  add_text("prompt", pair.prompt, tokenizer, row);
  add_text("chosen", pair.chosen, tokenizer, row);
  add_text("rejected", pair.rejected, tokenizer, row);
  return row;
}

nlohmann::json bad_batch_row(const RatedCompletion& rated, const Tokenizer& tokenizer) {
  nlohmann::json row = {{"pass_rate", rated.pass_rate}};
  add_text("prompt", rated.prompt, tokenizer, row);
  add_text("completion", rated.completion, tokenizer, row);
  return row;
}

nlohmann::json bad_batch_row(const SteppedCompletion& stepped, const Tokenizer& tokenizer) {
  nlohmann::json row = {{"ends", stepped.ends}, {"labels", stepped.labels}};
  add_text("prompt", stepped.prompt, tokenizer, row);
  add_text("completion", stepped.completion, tokenizer, row);
  return row;
}

Error stop_with_bad_batch(const RunFolder& folder, const std::string& stage, const std::string& section,
                          const UpdateWatch::Word& word, const std::vector<nlohmann::json>& rows) {
  std::string text;
  for (const nlohmann::json& row : rows) {
    text += row.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  }
  const std::string file = folder.file("bad-batch.jsonl");
  const auto written = write_file_atomic(file, text);
  return Error{fmt::format("{}: {}; {}; {}", stage, word.fault,
                           written ? "its batch is in " + file : "its batch is lost (" + written.error().message + ")",
                           advice_where_not_finite(section, word.updated_before))};
}

}  // namespace plumb
