#include "compiler_sandbox/judge.h"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <future>
#include <map>
#include <mutex>
#include <thread>

#include "compiler_sandbox/clang_reader.h"
#include "compiler_sandbox/evidence_cache.h"
#include "compiler_sandbox/examine.h"
#include "compiler_sandbox/examine_interactive.h"
#include "compiler_sandbox/examine_program.h"
#include "compiler_sandbox/examine_suite.h"
#include "compiler_sandbox/forbidden_api.h"
#include "compiler_sandbox/own_signature.h"
#include "compiler_sandbox/slot_pool.h"
#include "compiler_sandbox/step_outcome.h"
#include "compiler_sandbox/tool_versions.h"
#include "compiler_sandbox/toolchain.h"
#include "core/machine.h"

namespace plumb {

namespace {

constexpr int kTries = 3;

class SandboxJudge final : public Judge {
 public:
  SandboxJudge(std::unique_ptr<Toolchain> tools, Languages languages, std::unique_ptr<SlotPool> slots,
               std::unique_ptr<SlotPool> author_slots, IsolationReport isolation, int evidence_mib)
      : tools_(std::move(tools)),
        languages_(std::move(languages)),
        slots_(std::move(slots)),
        author_slots_(std::move(author_slots)),
        isolation_(std::move(isolation)),
        versions_(*tools_, languages_),
        gate_(slots_->size()),
        cache_(static_cast<std::size_t>(evidence_mib) << 20) {
    for (const auto& [name, language] : languages_) {
      warmed_up_[name];
    }
  }

  /// From now on; called before other threads know this judge.
  void keep_evidence_in(std::unique_ptr<EvidenceStore> store) {
    store_ = std::move(store);
    cache_.keep_in(store_.get());
  }

  /// The file of the cache folder that place_clang_reader() made; empty: none. Called like keep_evidence_in().
  void read_c_with(std::string clang_reader) { clang_reader_ = std::move(clang_reader); }

  Evidence judge(const Submission& submission) override {
    const LanguageFile* language = language_of(submission);
    if (language != nullptr && !language->warm_up.empty()) {
      warm_up(*language);
    }
    const double extra_cpu_s = language == nullptr ? 0 : language->extra_cpu_s;
    const auto examine = [&] {
      Evidence evidence =
          extra_cpu_s > 0 ? examine_until_sure(with_time(submission, extra_cpu_s)) : examine_until_sure(submission);
      if (!submission.forbidden.empty()) {
        add_forbidden_uses(*this, submission, evidence);
      }
      if (evidence.verdict != Verdict::kSE) {
        evidence.tool_versions = versions_.of(submission);
      }
      return evidence;
    };
    // A time-out by a little may be none on a better day.
    const double limit_s = submission.limits.cpu_s + extra_cpu_s;
    const auto keeps = [limit_s](const Evidence& evidence) {
      return evidence.verdict != Verdict::kTLE || evidence.cpu_s < limit_s || evidence.cpu_s > kCpuSlack * limit_s;
    };
    return cache_.get(submission_key(submission), examine, keeps);
  }

  std::vector<Evidence> judge_all(std::span<const Submission> submissions) override {
    const auto [different, same_as] = find_equal(submissions);
    std::vector<Evidence> results(submissions.size());
    std::atomic<std::size_t> next = 0;
    const auto work = [&, &todo = different] {
      for (std::size_t i = next++; i < todo.size(); i = next++) {
        results[todo[i]] = judge(submissions[todo[i]]);
      }
    };
    std::vector<std::thread> threads;
    const std::size_t num_threads = std::min(different.size(), static_cast<std::size_t>(concurrency()));
    for (std::size_t i = 1; i < num_threads; ++i) {
      threads.emplace_back(work);
    }
    work();
    for (std::thread& thread : threads) {
      thread.join();
    }
    for (std::size_t i = 0; i < submissions.size(); ++i) {
      if (same_as[i] != i) {
        results[i] = results[same_as[i]];
        results[i].cached = true;
      }
    }
    return results;
  }

  [[nodiscard]] int concurrency() const override { return Gate::kLight * slots_->size() + Gate::kMostParked; }
  [[nodiscard]] const Languages& languages() const override { return languages_; }
  [[nodiscard]] IsolationReport isolation() const override { return isolation_; }
  [[nodiscard]] std::vector<std::string> clang_reader(const std::string& language,
                                                      const std::string& source) const override {
    if (clang_reader_.empty()) {
      return {};
    }
    const std::string cache = cache_inside(isolation_, tools_->cache_dir());
    const bool c = language == "c";
    return clang_reader_command(cache + "/" + clang_reader_, c,
                                c ? std::vector<std::string>() : tools_->parse_arguments(source, cache));
  }

 private:
  // Of a whole program; null of a function, and where there is no such language.
  [[nodiscard]] const LanguageFile* language_of(const Submission& submission) const {
    const auto found = languages_.find(submission.program_language);
    return submission.program_language.empty() || found == languages_.end() ? nullptr : &found->second;
  }

  // Its tools are read from the disk on no submission's time. Whether the program passes does not matter here.
  void warm_up(const LanguageFile& language) {
    if (language.missing.empty()) {
      std::call_once(warmed_up_.at(language.name), [&] {
        Submission first;
        first.program_language = language.name;
        first.source = language.warm_up;
        first.program_tests.emplace_back();
        examine_until_sure(first);
      });
    }
  }

  static Submission with_time(Submission submission, double extra_cpu_s) {
    submission.limits.cpu_s += extra_cpu_s;
    submission.limits.wall_s += kWallOfCpu * extra_cpu_s;
    return submission;
  }

  Evidence examine_until_sure(const Submission& submission) {
    Finding finding;
    bool alone = false;
    bool was_idle = false;
    for (int tries = 0; tries < kTries; ++tries) {
      finding = examine_once(submission, alone);
      // A program that let its wall time pass without using a processor, and then once more while it had the machine to
      // itself, sleeps: that is its own doing.
      if (finding.doubt == Doubt::kNone || finding.doubt == Doubt::kHopeless ||
          (finding.doubt == Doubt::kIdle && was_idle)) {
        break;
      }
      was_idle = finding.doubt == Doubt::kIdle;
      alone = true;
    }
    if (finding.doubt == Doubt::kFault || finding.doubt == Doubt::kHopeless) {
      finding.evidence.verdict = Verdict::kSE;
    }
    return finding.evidence;
  }

  Finding examine_once(const Submission& submission, bool alone) {
    const bool light = is_interpreted(submission);
    GatePass pass(gate_, {.alone = alone, .light = light});
    SlotPool::Lease lease = slots_->take(light);
    if (!lease.worker) {
      return lost(std::move(lease), *slots_);
    }
    Worker& worker = *lease.worker;
    worker.on_off_cpu([&pass](bool off_cpu) { pass.set_asleep(off_cpu); });
    const bool program = !submission.program_language.empty();
    Finding finding;
    if (program ? submission.checker.kind == "interactive" : !submission.suite.code.empty()) {
      finding = examine_with_author(worker, submission, alone);
    } else {
      finding = program ? examine_program(worker, *tools_, languages_, submission, alone)
                        : examine_function(worker, submission, alone);
    }
    worker.on_off_cpu(nullptr);
    if (finding.doubt == Doubt::kFault) {
      lease.worker.reset();  // the next try gets a fresh one
    }
    slots_->give(std::move(lease));
    return finding;
  }

  // Nothing is compiled: most of the time between such a program's start and its end nobody computes, as processes are
  // made and wait for each other.
  [[nodiscard]] bool is_interpreted(const Submission& submission) const {
    if (submission.program_language.empty()) {
      return submission.language == Language::kPython;
    }
    const LanguageFile* language = language_of(submission);
    return language != nullptr && language->build.empty();
  }

  static Finding lost(SlotPool::Lease lease, SlotPool& slots) {
    Finding finding;
    finding.doubt = Doubt::kFault;
    finding.evidence.fault = lease.error;
    slots.give(std::move(lease));
    return finding;
  }

  Finding examine_function(Worker& worker, const Submission& submission, bool alone) {
    const bool reads = submission.language == Language::kCpp && submission.guessed_types;
    Finding finding;
    finding.evidence.verdict = Verdict::kCE;
    if (!reads || submission.function.returns != "auto") {
      finding = examine(worker, *tools_, submission, alone);
    }
    // Guesses are tried first: reading a program's types costs as much again as compiling it.
    if (!reads || finding.doubt != Doubt::kNone || finding.evidence.verdict != Verdict::kCE) {
      return finding;
    }
    if (const auto own =
            own_signature(worker, *tools_, languages_, clang_reader("cpp", submission.source), submission)) {
      Submission with_types = submission;
      with_types.function = *own;
      Finding read = examine(worker, *tools_, with_types, alone);
      if (!has_no_driver(read)) {
        return read;
      }
    }
    return finding.evidence.isolation.empty() ? no_types(worker, submission) : finding;
  }

  // With code of the task's author on a second worker.
  Finding examine_with_author(Worker& worker, const Submission& submission, bool alone) {
    SlotPool::Lease author = author_slots_->take(false);
    if (!author.worker) {
      return lost(std::move(author), *author_slots_);
    }
    Finding finding = submission.program_language.empty()
                          ? examine_suite(worker, *author.worker, *tools_, submission, alone)
                          : examine_interactive(worker, *author.worker, *tools_, languages_, submission, alone);
    if (finding.doubt == Doubt::kFault) {
      author.worker.reset();
    }
    author_slots_->give(std::move(author));
    return finding;
  }

  // The compiler says that values cannot be made of the types that it read, such as a vector of pointers, or takes more
  // than it may for it: the program's doing, not ours.
  static bool has_no_driver(const Finding& finding) {
    const std::string& fault = finding.evidence.fault;
    return finding.doubt == Doubt::kHopeless && fault.starts_with("cannot build ") &&
           fault.find(" failed: ") != std::string::npos && fault.find("No space left") == std::string::npos;
  }

  static Finding no_types(const Worker& worker, const Submission& submission) {
    Finding finding;
    finding.evidence.verdict = Verdict::kCE;
    finding.evidence.total = static_cast<int>(submission.args.size());
    finding.evidence.isolation = worker.isolation().summary();
    finding.evidence.diagnostics.push_back(
        {"error", "the program does not define " + submission.function.name + " with types that values can have", 0,
         0});
    return finding;
  }

  std::unique_ptr<Toolchain> tools_;
  Languages languages_;
  std::map<std::string, std::once_flag> warmed_up_;  // by language
  std::unique_ptr<SlotPool> slots_;
  std::unique_ptr<SlotPool> author_slots_;  // where authors' code runs; started when the first comes
  IsolationReport isolation_;
  std::string clang_reader_;
  ToolVersions versions_;
  Gate gate_;
  std::unique_ptr<EvidenceStore> store_;  // null where none was asked for
  EvidenceCache cache_;
};

std::size_t num_slots(const JudgeOptions& options) {
  const int cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  return static_cast<std::size_t>(options.slots > 0 ? options.slots : cores);
}

// Beside the launcher, where the build put it. Empty where it is not to be used, or memory is too scarce for what each
// slot would hold of it.
std::string chosen_warm_clang(const JudgeOptions& options, const std::string& launcher) {
  constexpr std::uint64_t kEach = std::uint64_t{400} << 20;
  return options.cold_starts >= 0 && num_slots(options) * kEach <= read_memory_info().available_bytes / 2
             ? warm_clang_folder(launcher)
             : "";
}

// Path, size and time of change of a program: another one where it was updated.
std::string fingerprint(const std::string& program) {
  std::error_code error;
  const std::filesystem::path path =
      std::filesystem::canonical(program.starts_with('/') ? program : "/usr/bin/" + program, error);
  const auto size = error ? 0 : std::filesystem::file_size(path, error);
  const auto time = error ? 0 : std::filesystem::last_write_time(path, error).time_since_epoch().count();
  return path.string() + " " + std::to_string(size) + " " + std::to_string(time);
}

// Everything that evidence depends on beside the submission.
std::string identity_of(const Toolchain& tools, const Languages& languages, const IsolationReport& isolation,
                        const std::string& clang_reader) {
  nlohmann::json all{{"format", 2},
                     {"cpp", tools.cpp_identity()},
                     {"python3", fingerprint("python3")},
                     {"isolation", isolation.summary()},
                     {"clang_reader", clang_reader}};
  for (const auto& [name, language] : languages) {
    nlohmann::json& one = all["languages"][name];
    one = {{"build", language.build},
           {"run", language.run},
           {"environment", language.environment},
           {"source", language.source},
           {"mounts", language.mounts},
           {"precompiled_headers", language.precompiled_headers},
           {"extra",
            {language.extra_cpu_s, language.extra_processes, language.extra_memory_mib, language.extra_file_mib}}};
    for (const std::string& program : language.needs) {
      one["needs"].push_back(fingerprint(program));
    }
  }
  return all.dump(1) + "\n";
}

// One right program in each language through the whole path: what does not work here works for no candidate.
Result<void> prove(Judge& judge) {
  Submission submission;
  submission.function = {"twice", {{"x", "int"}}, "int"};
  submission.args = {nlohmann::json::array({21})};
  submission.expected = {42};
  std::vector<Submission> submissions(2, submission);
  submissions[0].language = Language::kPython;
  submissions[0].source = "def twice(x):\n    return 2 * x\n";
  submissions[1].language = Language::kCpp;
  submissions[1].source = "int twice(int x) { return 2 * x; }\n";
  const std::vector<Evidence> all = judge.judge_all(submissions);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].verdict != Verdict::kAC) {
      const std::string words = all[i].diagnostics.empty() ? all[i].fault : all[i].diagnostics[0].message;
      return Error{"the judge gives " + std::string(to_string(all[i].verdict)) + " to a right " +
                   std::string(to_string(submissions[i].language)) + " program: " + words};
    }
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Judge>> start_judge(const JudgeOptions& options) {
  PLUMB_ASSIGN(const std::string launcher, find_launcher(options.launcher));
  PLUMB_ASSIGN(std::unique_ptr<Toolchain> tools,
               Toolchain::prepare(options.cache_dir, {options.cpp_compiler, options.cpp_optimization},
                                  chosen_warm_clang(options, launcher)));
  Languages languages;
  const std::string folder = languages_folder(launcher);
  if (std::filesystem::exists(folder)) {
    PLUMB_ASSIGN(languages, read_languages(folder));
  }
  std::vector<std::string> mounts;
  for (const auto& [name, language] : languages) {
    mounts.insert(mounts.end(), language.mounts.begin(), language.mounts.end());
  }
  nlohmann::json warm_clang = tools->warm_clang();
  if (warm_clang.is_object()) {
    warm_clang["cold_starts"] = options.cold_starts;
  }
  const auto start = [launcher, cache_dir = tools->cache_dir(), mounts, warm_clang](bool spare) {
    return Worker::start(launcher, cache_dir, mounts, spare ? nlohmann::json() : warm_clang);
  };
  std::vector<std::unique_ptr<Worker>> workers(num_slots(options));
  std::vector<std::future<Result<std::unique_ptr<Worker>>>> starting;
  for (std::size_t i = 0; i < workers.size(); ++i) {
    starting.push_back(std::async(std::launch::async, start, false));
  }
  for (std::size_t i = 0; i < workers.size(); ++i) {
    PLUMB_ASSIGN(workers[i], starting[i].get());
  }
  IsolationReport isolation = workers[0]->isolation();
  if (const std::string refusal = isolation.refusal(options.allow); !refusal.empty()) {
    return Error{refusal};
  }
  auto author_slots = std::make_unique<SlotPool>(std::vector<std::unique_ptr<Worker>>(workers.size()), start);
  auto slots = std::make_unique<SlotPool>(std::move(workers), start);
  PLUMB_ASSIGN(std::string clang_reader, place_clang_reader(launcher, tools->cache_dir()));
  const std::string identity = identity_of(*tools, languages, isolation, clang_reader);
  auto judge = std::make_unique<SandboxJudge>(std::move(tools), std::move(languages), std::move(slots),
                                              std::move(author_slots), std::move(isolation), options.evidence_mib);
  judge->read_c_with(std::move(clang_reader));
  PLUMB_TRY(prove(*judge));  // before the store, which would answer from another day
  if (!options.evidence_dir.empty()) {
    PLUMB_ASSIGN(auto store, EvidenceStore::open(options.evidence_dir, identity));
    judge->keep_evidence_in(std::move(store));
  }
  return std::unique_ptr<Judge>(std::move(judge));
}

}  // namespace plumb
