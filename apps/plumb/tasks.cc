#include "apps/plumb/tasks.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <system_error>
#include <utility>

#include "datasets/task_file.h"

namespace plumb {
namespace {

Result<std::vector<Language>> languages_of(const std::vector<std::string>& names) {
  std::vector<Language> languages;
  for (const std::string& name : names) {
    if (name == "python") {
      languages.push_back(Language::kPython);
    } else if (name == "cpp") {
      languages.push_back(Language::kCpp);
    } else {
      return Error{"data.languages: expected python or cpp, found " + name};
    }
  }
  return languages;
}

// What a file is called in the ids of its rows that name none: the last part of its path, or all of it where another
// file's ends alike.
std::string name_in_ids(const std::string& file, const std::vector<std::string>& files) {
  const auto last = [](const std::string& path) { return std::filesystem::path(path).filename().string(); };
  const auto alike = std::ranges::count_if(files, [&](const std::string& one) { return last(one) == last(file); });
  return alike > 1 ? file : last(file);
}

Result<void> refuse_a_file_twice(const std::vector<std::string>& files) {
  for (std::size_t i = 0; i < files.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      std::error_code ignored;  // a file that is absent is refused where it is read
      if (std::filesystem::equivalent(files[i], files[j], ignored)) {
        return Error{files[i] + ": is given twice as a file of tasks (also as " + files[j] + "); name it once"};
      }
    }
  }
  return {};
}

}  // namespace

JudgeOptions judge_options(const JudgeSettings& settings) {
  JudgeOptions options;
  options.slots = settings.slots;
  options.cache_dir = settings.cache_dir;
  options.evidence_mib = settings.evidence_mib;
  options.evidence_dir = settings.evidence_dir;
  options.allow = settings.allow;
  options.cpp_compiler = settings.cpp_compiler;
  options.cpp_optimization = settings.cpp_optimization;
  return options;
}

ScorerOptions scorer_options(const JudgeSettings& settings) {
  ScorerOptions options;
  options.limits.cpu_s = settings.cpu_s;
  options.limits.wall_s = settings.wall_s;
  options.limits.memory_mib = settings.memory_mib;
  return options;
}

Result<Prompts> load_tasks(const DataSettings& data) {
  TaskFileOptions options;
  PLUMB_ASSIGN(options.languages, languages_of(data.languages));
  PLUMB_TRY(refuse_a_file_twice(data.tasks));
  Prompts all;
  std::map<std::string, const std::string*> file_of;  // by id
  for (const std::string& file : data.tasks) {
    options.name = name_in_ids(file, data.tasks);
    PLUMB_ASSIGN(auto records, load_prompts(file, options));
    for (PromptRecord& record : records) {
      const auto [first, is_new] = file_of.emplace(record.id, &file);
      if (!is_new) {
        return Error{file + ": the id \"" + record.id + "\" is used in " + *first->second +
                     ", too; ids name prompts and random streams and must differ"};
      }
      all.push_back(std::make_shared<const PromptRecord>(std::move(record)));
    }
  }
  return all;
}

bool is_in_splits(const PromptRecord& record, const std::vector<std::string>& splits) {
  return splits.empty() || std::find(splits.begin(), splits.end(), record.split) != splits.end();
}

Prompts in_splits(const Prompts& prompts, const std::vector<std::string>& splits) {
  Prompts chosen;
  for (const auto& prompt : prompts) {
    if (!prompt->messages.empty() && is_in_splits(*prompt, splits)) {
      chosen.push_back(prompt);
    }
  }
  return chosen;
}

Prompts judgeable(Prompts prompts, const RewardOptions& reward) {
  std::erase_if(prompts, [&](const auto& prompt) {
    return prompt->domain == Domain::kChat && !prompt->messages.empty() && !reward.custom.is_verdict();
  });
  return prompts;
}

Prompts training_prompts(const Prompts& prompts, const Settings& settings) {
  Prompts chosen = judgeable(in_splits(prompts, settings.data.train_splits), settings.reward);
  if (settings.data.train_splits.empty()) {
    std::erase_if(chosen, [&](const auto& prompt) { return prompt->split == settings.grpo.dev_split; });
  }
  return chosen;
}

}  // namespace plumb
