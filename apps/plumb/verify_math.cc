// plumb verify-math: ground truths and responses in, verdicts out.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "apps/plumb/interrupt.h"
#include "apps/plumb/json_rows.h"
#include "apps/plumb/math_json.h"
#include "apps/plumb/subcommand.h"
#include "core/progress.h"

namespace plumb {
namespace {

struct VerifyMathOptions {
  std::string in;
  std::string out;
  bool resume = false;
};

// Questions with the same options, answered together.
class Batch {
 public:
  Batch(MathWorker& worker, JsonRowWriter& writer) : worker_(worker), writer_(writer) {}

  Result<void> add(const std::string& id, MathQuestion question) {
    constexpr std::size_t kItems = 512;
    constexpr std::size_t kBytes = std::size_t{16} << 20;
    const std::string key = key_of(question.options);
    if (key != key_ || items_.size() >= kItems || bytes_ > kBytes) {
      PLUMB_TRY(flush());
    }
    key_ = key;
    options_ = question.options;
    bytes_ += question.item.text.size();
    ids_.push_back(id);
    items_.push_back(std::move(question.item));
    return {};
  }

  Result<void> flush() {
    const std::vector<MathResult> results = worker_.verify(items_, options_);
    for (std::size_t i = 0; i < results.size(); ++i) {
      nlohmann::json row = math_result_to_json(results[i], options_);
      row["id"] = ids_[i];
      PLUMB_TRY(writer_.write(row));
    }
    ids_.clear();
    items_.clear();
    bytes_ = 0;
    return {};
  }

 private:
  static std::string key_of(const MathOptions& o) {
    return std::to_string(o.decimal_digits) + "/" + std::to_string(o.max_work) + "/" + std::to_string(o.seed) + "/" +
           std::to_string(o.bare_percent) + std::to_string(o.optional_unit) + std::to_string(o.convert_units) +
           std::to_string(o.unordered_lists) + std::to_string(o.decimal_comma) + std::to_string(o.join_boxes) +
           std::to_string(o.last_number) + std::to_string(o.probably_counts);
  }

  MathWorker& worker_;
  JsonRowWriter& writer_;
  std::string key_;
  MathOptions options_;
  std::vector<std::string> ids_;
  std::vector<MathItem> items_;
  std::size_t bytes_ = 0;
};

Result<int> run_verify_math(VerifyMathOptions options) {
  install_interrupt_handler();
  PLUMB_ASSIGN(const std::vector<JsonRow> rows, read_json_rows(options.in));
  PLUMB_TRY(find_math_worker(""));
  PLUMB_ASSIGN(JsonRowWriter writer, JsonRowWriter::open(options.out, options.resume));
  MathWorker worker;
  Batch batch(worker, writer);
  Progress progress("verify-math", static_cast<std::int64_t>(rows.size()), progress_in("row"));
  std::int64_t done = std::ranges::count_if(rows, [&](const JsonRow& row) { return writer.has(row.id); });
  progress.start_at(done);
  for (const JsonRow& row : rows) {
    if (writer.has(row.id)) {
      continue;
    }
    ++done;
    auto question = row.error.empty() ? math_question_from_json(row.json) : Result<MathQuestion>(Error{row.error});
    if (!question) {
      PLUMB_TRY(batch.flush());  // rows stay in order
      PLUMB_TRY(writer.write_error(row, question.error().message));
      continue;
    }
    PLUMB_TRY(batch.add(row.id, std::move(question).value()));
    progress.update(done);
    if (interrupted()) {
      PLUMB_TRY(writer.finish());
      return stopped_by_user(options.out + ": stopped by the user; --resume goes on with what is missing");
    }
  }
  PLUMB_TRY(batch.flush());
  progress.finish();
  PLUMB_TRY(writer.finish());
  if (writer.num_faults() > 0) {
    return Error{options.out + ": " + std::to_string(writer.num_faults()) + " rows have a \"fault\" and no verdict"};
  }
  return 0;
}

}  // namespace

void register_verify_math(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("verify-math", "Compare mathematical answers with ground truths");
  auto options = std::make_shared<VerifyMathOptions>();
  command
      ->add_option(
          "--in", options->in,
          "JSON Lines of {\"id\",\"gold\",\"pred\" or \"pred_parts\" or \"pred_b64\",\"options\"} (docs/math.md)")
      ->required();
  command
      ->add_option("--out", options->out,
                   "JSON Lines of {\"id\",\"equal\",\"verdict\",\"reason\",\"extracted\",\"work\"} (docs/math.md)")
      ->required();
  command->add_flag("--resume", options->resume, "go on with an --out that was cut off");
  command->callback([options, &action] { action = [options] { return run_verify_math(*options); }; });
}

}  // namespace plumb
