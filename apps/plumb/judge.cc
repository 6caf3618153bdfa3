// plumb judge: submissions in, evidence out, line by line.

#include <algorithm>
#include <memory>

#include "apps/plumb/interrupt.h"
#include "apps/plumb/json_rows.h"
#include "apps/plumb/judge_json.h"
#include "apps/plumb/judging_queue.h"
#include "apps/plumb/subcommand.h"
#include "compiler_sandbox/structure.h"
#include "core/escape.h"
#include "core/progress.h"
#include "reward/rules/feedback.h"

namespace plumb {
namespace {

struct JudgeCommand {
  std::string in;
  std::string out;
  JudgeOptions judge;
  bool resume = false;
  bool findings = false;
  bool structure = false;
};

constexpr std::size_t kRowsAtOnce = 64;  // written together

std::vector<SourceText> texts_of(std::span<const Submission> submissions) {
  std::vector<SourceText> texts;
  for (const Submission& one : submissions) {
    const std::string function_language(to_string(one.language));
    texts.push_back({one.program_language.empty() ? function_language : one.program_language, one.source});
  }
  return texts;
}

// What the input holds.
struct Input {
  std::vector<JsonRow> rows;
  std::vector<std::string> errors;              // of each row; empty where it is a submission
  std::vector<Submission> submissions;          // of the others, in order
  std::vector<std::size_t> submissions_before;  // each row
};

Input read_input(std::vector<JsonRow> rows) {
  Input input;
  for (const JsonRow& row : rows) {
    auto submission = row.error.empty() ? submission_from_json(row.json) : Result<Submission>(Error{row.error});
    input.errors.push_back(submission ? "" : submission.error().message);
    input.submissions_before.push_back(input.submissions.size());
    if (submission) {
      input.submissions.push_back(std::move(*submission));
    }
  }
  input.submissions_before.push_back(input.submissions.size());
  input.rows = std::move(rows);
  return input;
}

// Writes one line for each of the rows [begin, end), whose submissions are judged.
Result<void> write_rows(Judge& judge, const Input& input, std::size_t begin, std::size_t end, JudgingQueue& queue,
                        const JudgeCommand& command, JsonRowWriter& writer) {
  const std::size_t first = input.submissions_before[begin];
  const std::span submissions = std::span(input.submissions).subspan(first, input.submissions_before[end] - first);
  std::vector<Evidence> evidence;
  for (std::size_t i = 0; i < submissions.size(); ++i) {
    evidence.push_back(queue.take(first + i));
  }
  const std::vector<SourceText> texts = texts_of(submissions);
  auto findings = static_findings(judge, command.findings ? texts : std::vector<SourceText>());
  const auto structures = code_structure(judge, command.structure ? texts : std::vector<SourceText>());
  std::size_t next = 0;
  for (std::size_t i = begin; i < end; ++i) {
    if (!input.errors[i].empty()) {
      PLUMB_TRY(writer.write_error(input.rows[i], input.errors[i]));
      continue;
    }
    if (command.findings && findings[next]) {
      std::ranges::move(*findings[next], std::back_inserter(evidence[next].findings));
    }
    nlohmann::json out = evidence_to_json(evidence[next]);
    out["id"] = input.rows[i].id;
    if (std::string words = feedback(evidence[next], submissions[next].source); !words.empty()) {
      out["feedback"] = std::move(words);
    }
    if (command.findings && !findings[next]) {
      out["findings_fault"] = json_safe(findings[next].error().message);
    }
    if (command.structure) {
      const auto& structure = structures[next];
      structure ? out["structure"] = structure_to_json(*structure)
                : out["structure_fault"] = json_safe(structure.error().message);
    }
    ++next;
    PLUMB_TRY(writer.write(out));
  }
  return {};
}

Result<int> run_judge(const JudgeCommand& command) {
  install_interrupt_handler();
  PLUMB_ASSIGN(const auto judge, start_judge(command.judge));
  PLUMB_ASSIGN(std::vector<JsonRow> rows, read_json_rows(command.in, true));
  PLUMB_ASSIGN(JsonRowWriter writer, JsonRowWriter::open(command.out, command.resume));
  std::erase_if(rows, [&](const JsonRow& row) { return writer.has(row.id); });
  const Input input = read_input(std::move(rows));
  const std::size_t count = input.rows.size();
  Progress progress("judge", static_cast<std::int64_t>(count), progress_in("submission"));
  JudgingQueue queue(*judge, input.submissions);
  for (std::size_t done = 0; done < count;) {
    std::size_t end = std::min(done + kRowsAtOnce, count);
    while (!queue.await(input.submissions_before[end]) && !interrupted()) {
      progress.update(static_cast<std::int64_t>(queue.num_judged() + count - input.submissions.size()));
    }
    if (interrupted()) {
      queue.stop();
      const auto& before = input.submissions_before;
      end = static_cast<std::size_t>(std::upper_bound(before.begin(), before.end(), queue.num_judged_in_order()) -
                                     before.begin()) -
            1;
    }
    PLUMB_TRY(write_rows(*judge, input, done, end, queue, command, writer));
    done = end;
    if (interrupted() && done < count) {
      PLUMB_TRY(writer.finish());
      return stopped_by_user(command.out + ": stopped by the user; --resume goes on with what is missing");
    }
  }
  progress.update(static_cast<std::int64_t>(count));
  progress.finish();
  PLUMB_TRY(writer.finish());
  if (writer.num_faults() > 0) {
    std::fprintf(stderr,
                 "plumb: %d of %s could not be judged (SE, with the fault); they are no verdicts on the programs\n",
                 writer.num_faults(), command.out.c_str());
  }
  return 0;
}

}  // namespace

void register_judge(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("judge", "Judge programs: submissions in, evidence out");
  auto options = std::make_shared<JudgeCommand>();
  command->add_option("--in", options->in, "JSON Lines of submissions (docs/sandbox.md)")->required();
  command->add_option("--out", options->out, "JSON Lines of evidence, in the same order")->required();
  command
      ->add_option("--slots", options->judge.slots,
                   "programs that run at once, interpreted ones counting half; 0 = one per processor")
      ->check(CLI::Range(0, 256));
  command->add_option("--cpp-compiler", options->judge.cpp_compiler, "clang or gcc; clang where it is installed")
      ->check(CLI::IsMember({"clang", "gcc"}));
  command->add_option("--cpp-optimization", options->judge.cpp_optimization, "the level of -O")
      ->check(CLI::Range(0, 3));
  command->add_option("--evidence-dir", options->judge.evidence_dir,
                      "folder in which evidence is kept for later calls");
  command->add_option("--evidence-mib", options->judge.evidence_mib, "of evidence kept in memory for equal submissions")
      ->check(CLI::Range(1, 1 << 20));
  command->add_option("--allow", options->judge.allow, "isolation layers that may be missing (docs/sandbox.md)");
  command->add_flag("--findings", options->findings, "also look for weaknesses in C, C++ and Python (docs/sandbox.md)");
  command->add_flag("--structure", options->structure,
                    "also measure functions and, where it does not compile, how near it came (docs/sandbox.md)");
  command->add_flag("--resume", options->resume, "go on with an --out that was cut off");
  command->callback([options, &action] { action = [options] { return run_judge(*options); }; });
}

}  // namespace plumb
