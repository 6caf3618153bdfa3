// plumb data profile: k completions of every training prompt, judged. Says before a run is paid for how much of a data
// set a policy can learn from.

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "apps/plumb/data.h"
#include "apps/plumb/interrupt.h"
#include "apps/plumb/rollout.h"
#include "apps/plumb/run_context.h"
#include "apps/plumb/run_options.h"
#include "core/metrics_log.h"
#include "core/progress.h"
#include "eval/pass_at_k.h"
#include "eval/report/report.h"
#include "eval/samples.h"
#include "reward/rules/score_parts.h"

namespace plumb {
namespace {

constexpr std::size_t kPromptsAtOnce = 8;

/// One prompt's samples, and sums of them.
struct Profile {
  std::int64_t samples = 0;
  std::int64_t scored = 0;
  std::int64_t passed = 0;  // whatever the reward says
  std::int64_t truncated = 0;
  std::int64_t tokens = 0;
  bool mixed = false;
  double reward = 0;  // sum
};

Profile profile_of(const ScoredGroup& group) {
  Profile profile;
  double lowest = 0;
  double highest = 0;
  for (std::size_t i = 0; i < group.scores.size(); ++i) {
    const Completion& completion = group.group.completions[i];
    ++profile.samples;
    profile.tokens += static_cast<std::int64_t>(completion.token_ids.size());
    profile.truncated += completion.finish_reason == FinishReason::kLength ? 1 : 0;
    if (!group.scores[i].unscored) {
      const double total = group.scores[i].total;
      lowest = profile.scored == 0 ? total : std::min(lowest, total);
      highest = profile.scored == 0 ? total : std::max(highest, total);
      ++profile.scored;
      profile.passed += is_solved(group.scores[i]) ? 1 : 0;
      profile.reward += total;
    }
  }
  profile.mixed = highest > lowest;
  return profile;
}

nlohmann::json line_of(const PromptRecord& prompt, const Profile& profile) {
  nlohmann::json pass = nlohmann::json::object();
  for (int k = 1; k <= profile.scored; k *= 2) {
    pass[std::to_string(k)] = pass_at_k(static_cast<int>(profile.scored), static_cast<int>(profile.passed), k);
  }
  return {{"id", prompt.id},
          {"data_source", prompt.data_source},
          {"samples", profile.samples},
          {"scored", profile.scored},
          {"passed", profile.passed},
          {"mixed", profile.mixed},
          {"pass@k", pass},
          {"truncated", profile.truncated},
          {"tokens", profile.tokens},
          {"reward", profile.scored > 0 ? profile.reward / static_cast<double>(profile.scored) : 0.0}};
}

Result<Profile> profile_of_line(const nlohmann::json& line) {
  Profile profile;
  try {
    profile.samples = line.at("samples").get<std::int64_t>();
    profile.scored = line.at("scored").get<std::int64_t>();
    profile.passed = line.at("passed").get<std::int64_t>();
    profile.truncated = line.at("truncated").get<std::int64_t>();
    profile.tokens = line.at("tokens").get<std::int64_t>();
    profile.mixed = line.at("mixed").get<bool>();
    profile.reward = line.at("reward").get<double>() * static_cast<double>(profile.scored);
  } catch (const nlohmann::json::exception& error) {
    return Error{std::string("not a line of a profile: ") + error.what()};
  }
  return profile;
}

/// What an earlier call, that was cut off, has written.
struct DoneProfiles {
  std::vector<Profile> profiles;    // of the first prompts, in order
  std::uint64_t profile_bytes = 0;  // whole lines
  std::uint64_t samples_bytes = 0;  // whole lines of those prompts
};

// Completions are a function of seed, prompt and draw, so that what is missing comes out as it would have then.
Result<DoneProfiles> read_done(const RunFolder& folder, const Prompts& prompts, int k) {
  DoneProfiles done;
  const std::string path = folder.file("profile.jsonl");
  PLUMB_ASSIGN(const std::string text, read_file(path));
  std::int64_t num_samples = 0;
  for (std::size_t begin = 0, end = 0; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const auto line = nlohmann::json::parse(text.substr(begin, end - begin), nullptr, false);
    const std::size_t at = done.profiles.size();
    if (!line.is_object() || at >= prompts.size() || line.value("id", "") != prompts[at]->id) {
      return Error{fmt::format("{}:{}: is not of this data; put that back, or choose another --out", path, at + 1)};
    }
    if (line.value("samples", 0) != k) {
      return Error{fmt::format("{}: has {} completions a prompt; go on with -k {}", path, line["samples"].dump(),
                               line["samples"].dump())};
    }
    PLUMB_ASSIGN(Profile profile, profile_of_line(line));
    num_samples += profile.samples;
    done.profiles.push_back(profile);
    done.profile_bytes = end + 1;
  }
  PLUMB_ASSIGN(const std::string samples, read_file(folder.file("samples.jsonl"), UINT64_MAX));
  for (std::int64_t i = 0; i < num_samples; ++i) {
    const std::size_t end = samples.find('\n', done.samples_bytes);
    if (end == std::string::npos) {
      return Error{
          folder.file("samples.jsonl") +
          ": lacks completions of prompts that profile.jsonl has; put the file back from a copy, or start again "
          "with another --out"};
    }
    done.samples_bytes = end + 1;
  }
  return done;
}

// How many bytes of timings.jsonl are of the first `done` prompts. An earlier call may have lost some: then less is
// known.
std::uint64_t timing_bytes(const std::string& path, std::size_t done) {
  auto kept = bytes_to_keep(path, ResumePoint{"profile", static_cast<std::int64_t>(done)});
  return kept ? *kept : 0;
}

// What the first `done` prompts took, by place, where an earlier call has written it down.
std::vector<std::optional<double>> seconds_of(const std::string& path, std::size_t done) {
  std::vector<std::optional<double>> seconds(done);
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const auto row = nlohmann::json::parse(line, nullptr, false);
    const auto step = row.is_object() ? row.find("step") : row.end();
    const auto time = row.is_object() ? row.find("timing_s/step") : row.end();
    if (step != row.end() && time != row.end() && step->is_number_unsigned() && time->is_number()) {
      if (const auto number = step->get<std::size_t>(); number > 0 && number <= done) {
        seconds[number - 1] = time->get<double>();
      }
    }
  }
  return seconds;
}

Result<void> append_samples(const ScoredGroup& group, double temperature, AppendFile& file) {
  for (std::size_t i = 0; i < group.scores.size(); ++i) {
    SampleRecord sample = sample_record(group, i);
    sample.stage = "profile";
    sample.kind = "profile";
    sample.temperature = temperature;
    PLUMB_TRY(file.append(to_json(sample).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)));
  }
  return {};
}

// Sums over all prompts, for the table.
class Summary {
 public:
  /// `seconds`: what it took, where that is known.
  void add(const Profile& profile, std::optional<double> seconds) {
    ++prompts_;
    mixed_ += profile.mixed ? 1 : 0;
    useful_ += seconds && profile.mixed ? profile.scored : 0;
    never_ += profile.scored > 0 && profile.passed == 0 ? 1 : 0;
    always_ += profile.scored > 0 && profile.passed == profile.scored ? 1 : 0;
    samples_ += profile.samples;
    truncated_ += profile.truncated;
    tokens_ += profile.tokens;
    seconds_ += seconds.value_or(0);
    for (int k = 1; k <= profile.scored; k *= 2) {
      auto& [sum, count] = pass_[k];
      sum += pass_at_k(static_cast<int>(profile.scored), static_cast<int>(profile.passed), k);
      ++count;
    }
  }

  void print(const std::string& path) const {
    const auto share = [](std::int64_t part, std::int64_t whole) {
      return whole == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
    };
    std::printf("prompts                 %lld\n", static_cast<long long>(prompts_));
    for (const auto& [k, sums] : pass_) {
      std::printf("%-23s %.3f\n", fmt::format("pass@{}", k).c_str(), sums.first / static_cast<double>(sums.second));
    }
    std::printf("mixed groups            %.1f %%  (never solved %.1f %%, always %.1f %%)\n", share(mixed_, prompts_),
                share(never_, prompts_), share(always_, prompts_));
    std::printf("truncated completions   %.1f %%\n", share(truncated_, samples_));
    std::printf("mean length             %.1f tokens\n",
                samples_ == 0 ? 0.0 : static_cast<double>(tokens_) / static_cast<double>(samples_));
    if (seconds_ > 0) {
      std::printf("useful samples an hour  %.0f  (completions of mixed groups)\n",
                  3600 * static_cast<double>(useful_) / seconds_);
    }
    std::printf("per prompt: %s\n", path.c_str());
  }

 private:
  std::int64_t prompts_ = 0, mixed_ = 0, useful_ = 0, never_ = 0, always_ = 0, samples_ = 0, truncated_ = 0,
               tokens_ = 0;
  double seconds_ = 0;
  std::map<int, std::pair<double, std::int64_t>> pass_;
};

Result<int> profile(const RunOptions& options, const Settings& settings, int k) {
  PLUMB_ASSIGN(const auto context, RunContext::open(options, settings, {.judge = true, .trainable = false}));
  const Prompts prompts = context->training_prompts();
  if (prompts.empty()) {
    return Error{fmt::format("data profile: {}", kNoTrainingPrompts)};
  }
  Workbench& bench = context->bench();
  PLUMB_TRY(
      check_prompts(prompts, bench.tokenizer(), bench.chat_template(), generator_options(settings), bench.policy()));
  PLUMB_TRY(context->claim());
  Generator generator(bench.policy(), bench.tokenizer(), bench.pool());
  ScorerOptions scoring = context->scorer_options(false, "profile");
  scoring.reward = settings.reward;
  Scorer scorer(context->judge(), scoring);
  const GeneratorOptions generation = generator_options(settings);
  const std::string path = context->folder().file("profile.jsonl");
  DoneProfiles done;
  if (context->resume() && std::filesystem::exists(path)) {
    PLUMB_ASSIGN(done, read_done(context->folder(), prompts, k));
  }
  PLUMB_ASSIGN(AppendFile file, AppendFile::open(path, done.profile_bytes));
  PLUMB_ASSIGN(AppendFile samples, AppendFile::open(context->folder().file("samples.jsonl"), done.samples_bytes));
  const std::string times_path = context->folder().file("timings.jsonl");
  const auto earlier_seconds = seconds_of(times_path, done.profiles.size());
  PLUMB_ASSIGN(AppendFile times, AppendFile::open(times_path, timing_bytes(times_path, done.profiles.size())));
  Progress progress("profile", static_cast<std::int64_t>(prompts.size()), progress_in("prompt"));
  Summary summary;
  bool stopped = false;
  progress.start_at(std::ssize(done.profiles));
  for (std::size_t i = 0; i < done.profiles.size(); ++i) {
    summary.add(done.profiles[i], earlier_seconds[i]);
  }
  for (std::size_t begin = done.profiles.size(); begin < prompts.size(); begin += kPromptsAtOnce) {
    std::vector<PromptDraw> draws;
    for (std::size_t i = begin; i < std::min(begin + kPromptsAtOnce, prompts.size()); ++i) {
      draws.push_back({prompts[i], 0});
    }
    const RolloutParts parts{generator, scorer, bench.tokenizer(), bench.chat_template()};
    PLUMB_ASSIGN(const Rollout rollout, run_rollout(parts, draws, k, generation));
    stopped = rollout.stopped;
    if (stopped) {
      std::printf("stopped before the end: the figures are those of %zu of %zu prompts; go on with --resume --out %s\n",
                  begin, prompts.size(), options.out.c_str());
      break;
    }
    // Nothing is remembered of them: a resume asks again.
    if (const std::string fault = fault_of_all(rollout.groups); !fault.empty()) {
      return Error{fmt::format(
          "data profile: saved up to prompt {} and stopped: no completion of the next {} prompts could be judged; the "
          "first: {}; mend that and go on with --resume",
          begin, rollout.groups.size(), fault)};
    }
    context->faults().add_all("profile", rollout.groups, false);
    PLUMB_TRY(context->judge_status());
    const double seconds = (rollout.sample_s + rollout.reward_s) / static_cast<double>(rollout.groups.size());
    for (std::size_t i = 0; i < rollout.groups.size(); ++i) {
      const ScoredGroup& group = rollout.groups[i];
      const Profile one = profile_of(group);
      std::string time =
          metrics_line("profile", static_cast<std::int64_t>(begin + i + 1), {{"timing_s/step", seconds}});
      time.pop_back();  // its line feed
      PLUMB_TRY(times.append(time));
      PLUMB_TRY(append_samples(group, settings.sampling.temperature, samples));  // first: a resume counts on them
      PLUMB_TRY(file.append(line_of(*group.group.prompt, one).dump()));
      summary.add(one, seconds);
    }
    progress.update(static_cast<std::int64_t>(begin + draws.size()));
  }
  PLUMB_TRY(file.sync());
  PLUMB_TRY(samples.sync());
  PLUMB_TRY(times.sync());
  progress.finish();
  summary.print(path);
  PLUMB_TRY(write_report(context->folder().path()));
  std::printf("report: %s\n", context->folder().file("report.html").c_str());
  return stopped ? kInterruptedStatus : 0;
}

}  // namespace

void add_data_profile(CLI::App& data, Action& action) {
  auto k = std::make_shared<int>(16);
  CLI::App* command = add_run_command(
      data, action, "profile", "pass@k of a model on every training prompt, and how many groups could teach it",
      [k](const RunOptions& options, const Settings& settings) { return profile(options, settings, *k); }, "profile");
  command->add_option("-k,--samples", *k, "completions per prompt")->check(CLI::Range(1, 1024));
}

}  // namespace plumb
