#include "apps/plumb/run_folder.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string_view>

#include "apps/plumb/run_files.h"
#include "apps/plumb/unfinished_evaluation.h"
#include "apps/plumb/version.h"
#include "core/hash.h"

namespace plumb {
namespace {

namespace fs = std::filesystem;

// Keys that a resume may change, and why no bit depends on them.
struct FreeKey {
  std::string_view key;
  std::string_view reason;
};
constexpr FreeKey kFreeKeys[] = {
    {"model.threads", "sums are split by the shape of the data, not by threads"},
    {"judge.slots", "a program is judged by itself, however many are at once"},
    {"grpo.keep_checkpoints", "an older checkpoint is read only where a newer one is damaged"},
};

// Of a sentence of Config::differences_from(); null: a resume may not change it.
const FreeKey* free_key_of(const std::string& difference) {
  const auto found = std::ranges::find(kFreeKeys, difference.substr(0, difference.find(':')), &FreeKey::key);
  return found == std::end(kFreeKeys) ? nullptr : found;
}

// Which keys differ, of those that bits may depend on; `says`: of the others a line is said. A sum says that something
// differs; whoever has to put it back needs to know what.
Result<std::vector<std::string>> config_differences(const std::string& folder, const RunManifest& before,
                                                    const RunManifest& now, const Config& config, bool says) {
  if (before.config_sha256 == now.config_sha256) {
    return std::vector<std::string>();
  }
  PLUMB_ASSIGN(const std::string toml, read_file(folder + "/" + kConfigFile));
  PLUMB_ASSIGN(const auto keys, config.differences_from(toml, folder + "/" + kConfigFile));
  std::vector<std::string> differences;
  for (const std::string& key : keys) {
    const FreeKey* free = free_key_of(key);
    if (free == nullptr) {
      differences.push_back(key);
    } else if (says) {
      std::fprintf(stderr, "plumb: note: %s; no bit depends on it: %s\n", key.c_str(), free->reason.data());
    }
  }
  // Where no key says why the sums differ, they do all the same.
  if (!differences.empty() || keys.empty()) {
    differences.insert(differences.begin(), "config_sha256: was " + before.config_sha256 + ", is " + now.config_sha256);
  }
  return differences;
}

// What keeps a run from being resumed, one sentence each; `says` also what differs and may.
Result<std::vector<std::string>> differences_of(const std::string& folder, RunManifest now, const Config& config,
                                                bool says) {
  PLUMB_ASSIGN(const RunManifest before, read_manifest(folder + "/" + kManifestFile));
  PLUMB_ASSIGN(const auto keys, config_differences(folder, before, now, config, says));
  now.config_sha256 = before.config_sha256;
  std::vector<std::string> differences = manifest_differences(before, now);
  differences.insert(differences.end(), keys.begin(), keys.end());
  return differences;
}

Result<void> check_unchanged(const std::string& folder, const RunManifest& now, const Config& config) {
  PLUMB_ASSIGN(const std::vector<std::string> differences, differences_of(folder, now, config, true));
  if (differences.empty()) {
    return {};
  }
  return Error{
      fmt::format("{}/{}: this run cannot be resumed to the same bits, because something it depends on has changed:\n  "
                  "{}\nput that "
                  "back, or start a new run with another --out",
                  folder, kManifestFile, fmt::join(differences, "\n  "))};
}

Result<void> check_command(const RunEntry& entry) {
  PLUMB_ASSIGN(const RunManifest before, read_manifest(entry.out + "/" + kManifestFile));
  if (before.command.empty() || before.command == entry.command) {
    return {};
  }
  return Error{fmt::format(
      "{0}: this folder holds a run of plumb {1}, and plumb {2} cannot go on with it; plumb {1} --resume --out {0} "
      "does, or choose another --out",
      entry.out, before.command, entry.command)};
}

// Of what `path` needs, the folders that are absent, the outermost first.
std::vector<std::string> absent_folders(const std::string& path) {
  std::vector<std::string> absent;
  std::error_code error;
  for (fs::path folder = fs::absolute(path).lexically_normal(); !folder.empty() && !fs::exists(folder, error);
       folder = folder.parent_path()) {
    absent.insert(absent.begin(), folder.string());
  }
  return absent;
}

// The arguments of this process, as they were given.
std::vector<std::string> own_arguments() {
  std::vector<std::string> words;
  if (const auto text = read_file("/proc/self/cmdline")) {
    for (std::size_t begin = 0, end = 0; (end = text->find('\0', begin)) != std::string::npos; begin = end + 1) {
      words.push_back(text->substr(begin, end - begin));
    }
  }
  return words;
}

}  // namespace

RunManifest start_manifest(const std::string& command, std::uint64_t seed, const Config& config) {
  RunManifest manifest = make_manifest();
  manifest.command = command;
  manifest.argv = own_arguments();
  manifest.plumb_version = plumb_version();
  manifest.git_commit = git_commit();
  manifest.onednn_version = onednn_version();
  manifest.seed = seed;
  manifest.config_sha256 = config.checksum();
  // Where the commit does not say what was built, the program itself does.
  if (manifest.git_commit == "unknown" || manifest.git_commit.ends_with("-dirty")) {
    if (auto sum = sha256_file("/proc/self/exe")) {
      manifest.file_sha256["plumb"] = std::move(*sum);
    }
  }
  return manifest;
}

Result<void> check_resumable(const RunEntry& entry) {
  if (!entry.resume || !fs::exists(entry.out + "/" + kManifestFile)) {
    return {};
  }
  PLUMB_ASSIGN(const FolderLock lock,
               FolderLock::take(entry.out));  // whoever is at work there is the first to be named
  PLUMB_TRY(check_command(entry));
  // With a model named the settings given are enough to start over with.
  return fs::exists(entry.out + "/" + kConfigFile) || !entry.model.empty()
             ? Result<void>()
             : Result<void>(Error{fmt::format("{}: this run was stopped before it began ({} is absent); start it again "
                                              "without --resume",
                                              entry.out, kConfigFile)});
}

RunFolder::~RunFolder() {
  std::error_code ignored;  // one that is not empty stays
  std::ranges::for_each(made_.rbegin(), made_.rend(), [&](const std::string& folder) { fs::remove(folder, ignored); });
}

Result<RunFolder> RunFolder::enter(const RunEntry& entry) {
  RunFolder folder;
  folder.path_ = entry.out;
  const bool exists = fs::exists(folder.file(kManifestFile));
  if (!exists && entry.resume) {
    const std::string found = first_run_file(entry.out);
    return Error{
        found.empty()
            ? fmt::format("{}: no run to resume here ({} is absent); start one without --resume", entry.out,
                          kManifestFile)
            : fmt::format("{}: there is {}, and no {} beside it that says what run it is of; put that back from "
                          "a copy, or start a new run with another --out",
                          entry.out, found, kManifestFile)};
  }
  if ((exists && entry.resume) || fs::exists(folder.file(FolderLock::kFile))) {
    PLUMB_TRY(folder.lock());
  }
  if (!entry.model.empty() && is_result_of(entry.model, entry.out)) {
    return Error{
        fmt::format("{}: the model is a result of this folder, which the run would write over; choose another "
                    "--out",
                    entry.model)};
  }
  if (entry.resume) {
    PLUMB_TRY(check_command(entry));
    folder.resumes_ = holds_work(entry.out);
    if (!folder.resumes_) {
      std::fprintf(stderr,
                   "plumb: note: %s: nothing was done here yet, so the run starts over, with the settings given\n",
                   entry.out.c_str());
    }
    folder.keeps_verdicts_ = true;
    return folder;
  }
  PLUMB_TRY(folder.check_free());
  return folder;
}

// Errors: a run that begins would write over something.
Result<void> RunFolder::check_free() const {
  if (!fs::exists(file(kManifestFile))) {
    const std::string name = first_run_file(path_);
    return name.empty() ? Result<void>()
                        : Result<void>(Error{fmt::format(
                              "{}: exists, and there is no {} beside it that says what run it is of; move it away, or "
                              "choose another --out",
                              file(name), kManifestFile)});
  }
  return holds_work(path_) ? Result<void>(Error{fmt::format(
                                 "{}: this folder already holds a run; go on with it by --resume, or choose another "
                                 "--out",
                                 path_)})
                           : Result<void>();
}

Result<void> RunFolder::lock() {
  if (!lock_.held()) {
    PLUMB_ASSIGN(lock_, FolderLock::take(path_));
  }
  return {};
}

Result<void> RunFolder::compare(const Config& config, const RunManifest& manifest) {
  if (resumes_) {
    PLUMB_TRY(check_unchanged(path_, manifest, config));
    return ensure_writable_folder(path_);
  }
  made_ = absent_folders(path_);
  PLUMB_TRY(ensure_writable_folder(path_));
  if (keeps_verdicts_) {
    const auto differences = differences_of(path_, manifest, config, false);
    keeps_verdicts_ = differences && differences->empty();
  }
  toml_ = config.to_toml();
  manifest_ = manifest;
  return {};
}

Result<void> RunFolder::claim() {
  if (!manifest_) {
    return {};
  }
  PLUMB_TRY(lock());
  PLUMB_TRY(check_free());
  if (!keeps_verdicts_) {
    std::error_code ignored;  // of a run that did nothing; most often there are none
    for (const char* journal : {"verdicts.jsonl", "custom_scores.jsonl", "faults.jsonl"}) {
      fs::remove(file(journal), ignored);
    }
  }
  // The manifest first: with it a folder is a run's, whatever else is missing.
  PLUMB_TRY(write_manifest(*manifest_, file(kManifestFile)));
  PLUMB_TRY(write_file_atomic(file(kConfigFile), toml_));
  manifest_.reset();
  made_.clear();
  return {};
}

// Nothing is cut, and no empty file made, while one of the logs lacks what the run goes on from.
Result<void> RunFolder::check_logs(const ResumePoint& from, std::uint64_t samples_bytes) const {
  std::error_code error;
  const std::string metrics = file("metrics.jsonl");
  if (from.step > 0 && !fs::exists(metrics, error)) {
    return Error{
        fmt::format("{}: is missing, and the run goes on after step {}; put it back from a copy, or start a new "
                    "run with another --out",
                    metrics, from.step)};
  }
  const std::string samples = file("samples.jsonl");
  const std::uint64_t found = fs::exists(samples, error) ? fs::file_size(samples, error) : 0;
  if (samples_bytes != UINT64_MAX && found < samples_bytes) {
    return Error{
        fmt::format("{}: expected at least {} bytes, as the checkpoint of step {} says, found {}; put it back "
                    "from a copy, or start a new run with another --out",
                    samples, samples_bytes, from.step, found)};
  }
  return {};
}

Result<void> RunFolder::open_logs(const std::optional<ResumePoint>& from, std::uint64_t samples_bytes) {
  if (from) {
    PLUMB_TRY(check_logs(*from, samples_bytes));
  }
  PLUMB_TRY(drop_unfinished_evaluation(path_));
  PLUMB_ASSIGN(auto metrics, MetricsLog::open(path_, from));
  metrics_ = std::move(metrics);
  // What other stages said at step 0 stays; what this one did is said again, to the same value.
  PLUMB_ASSIGN(auto events, TensorBoardWriter::open(path_, from ? std::max<std::int64_t>(from->step + 1, 1) : -1));
  events_ = std::move(events);
  if (from && samples_bytes == UINT64_MAX && fs::exists(file("samples.jsonl"))) {
    PLUMB_ASSIGN(samples_bytes, bytes_to_keep(file("samples.jsonl"), from));
  }
  PLUMB_ASSIGN(auto samples, AppendFile::open(file("samples.jsonl"), samples_bytes));
  samples_ = std::move(samples);
  return {};
}

Result<void> RunFolder::log(const std::string& stage, std::int64_t step, const MetricMap& metrics,
                            const MetricMap& timings) {
  PLUMB_CHECK(metrics_ && events_, "RunFolder::log before open_logs");
  PLUMB_TRY(metrics_->append(stage, step, metrics, timings));
  MetricMap all;
  for (const auto* map : {&metrics, &timings}) {
    for (const auto& [name, value] : *map) {
      all[stage == "grpo" ? name : stage + "/" + name] = value;
    }
  }
  return events_->append(step, all);
}

Result<void> RunFolder::sync_logs() {
  PLUMB_CHECK(metrics_ && samples_, "RunFolder::sync_logs before open_logs");
  PLUMB_TRY(metrics_->sync());
  return samples_->sync();
}

Result<void> RunFolder::add_sample(const nlohmann::json& sample) {
  PLUMB_CHECK(samples_.has_value(), "RunFolder::add_sample before open_logs");
  return samples_->append(sample.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

int say_complete(const RunFolder& folder) {
  std::printf("%s: this run is complete; its weights are in policy/. Start another with a new --out\n",
              folder.path().c_str());
  return 0;
}

}  // namespace plumb
