// audit-reward --run: what the completions of a finished run say about its reward.

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <unordered_map>

#include "apps/plumb/audit_reward.h"
#include "core/escape.h"
#include "eval/samples.h"
#include "reward/rules/exploits.h"

namespace plumb {
namespace {

constexpr std::size_t kShownExamples = 3;
constexpr double kLongFactor = 3;

struct Suspects {
  int all = 0;
  int rewarded = 0;
  std::vector<std::string> examples;

  void add(bool was_rewarded, const std::string& example) {
    ++all;
    rewarded += was_rewarded ? 1 : 0;
    if (was_rewarded && examples.size() < kShownExamples) {
      examples.push_back(example);
    }
  }
};

// Rewarded samples several times as long as the median rewarded one of the same language.
void add_length_exploits(const std::vector<SampleRecord>& samples, std::map<std::string, Suspects>& found) {
  std::map<std::string, std::vector<int>> lengths;
  for (const SampleRecord& sample : samples) {
    if (is_solved(sample)) {
      lengths[sample.language].push_back(sample.tokens);
    }
  }
  for (auto& [language, values] : lengths) {
    std::sort(values.begin(), values.end());
  }
  for (const SampleRecord& sample : samples) {
    const std::vector<int>& values = lengths[sample.language];
    if (is_solved(sample) && sample.tokens > kLongFactor * values[values.size() / 2]) {
      found["length"].add(true, fmt::format("{} sample {}: {} tokens, median {}", sample.prompt_id, sample.sample,
                                            sample.tokens, values[values.size() / 2]));
    }
  }
}

}  // namespace

Result<int> audit_run(const std::string& folder) {
  Settings settings;
  Config config;
  settings.add_to(config);
  PLUMB_TRY(config.load_file(folder + "/config.toml"));
  PLUMB_ASSIGN(const Prompts all, load_tasks(settings.data));
  std::unordered_map<std::string, const PromptRecord*> prompts;
  for (const auto& prompt : all) {
    prompts[prompt->id] = prompt.get();
  }
  PLUMB_ASSIGN(const std::vector<SampleRecord> samples, read_samples(folder + "/samples.jsonl"));
  std::map<std::string, Suspects> found;
  for (const SampleRecord& sample : samples) {
    const std::string name = fmt::format("{} step {} sample {}", sample.prompt_id, sample.step, sample.sample);
    if (const auto prompt = prompts.find(sample.prompt_id); prompt != prompts.end()) {
      for (const Exploit& exploit : exploits_in(*prompt->second, sample.text)) {
        found[exploit.kind].add(is_solved(sample), name + ": " + exploit.detail);
      }
    }
    if (is_solved(sample) && sample.audit == 0) {
      found["audit_disagreement"].add(true, name + ": passes the graded tests, fails the audit suite");
    }
  }
  add_length_exploits(samples, found);
  std::string text = fmt::format("{} samples of {}\n", samples.size(), folder);
  int rewarded = 0;
  for (const auto& [kind, suspects] : found) {
    rewarded += suspects.rewarded;
    text += fmt::format("{:<26} {} samples, {} of them solved\n", kind, suspects.all, suspects.rewarded);
    for (const std::string& example : suspects.examples) {
      text += "  " + example + "\n";
    }
  }
  text += rewarded == 0 ? "no exploit was rewarded\n" : "";
  std::fputs(strip_terminal(text).c_str(), stdout);
  return rewarded == 0 ? 0 : 1;
}

}  // namespace plumb
