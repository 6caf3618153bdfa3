// The parts of the judge that many threads share.

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <thread>

#include "compiler_sandbox/evidence_cache.h"
#include "compiler_sandbox/evidence_store.h"
#include "compiler_sandbox/slot_pool.h"
#include "judge_support.h"

namespace plumb {
namespace {

TEST(Gate, WhoIsAloneIsAlone) {
  Gate gate(8);
  std::atomic<int> inside = 0;
  std::atomic<int> violations = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 200; ++round) {
        const bool alone = (round + i) % 10 == 0;
        const GatePass pass(gate, {.alone = alone, .light = i % 2 == 0});
        const int others = inside++;
        std::this_thread::yield();
        violations += alone && (others != 0 || inside != 1) ? 1 : 0;
        --inside;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(violations, 0);
}

TEST(Gate, SharersPassTogether) {
  Gate gate(2);
  const GatePass first(gate, {});
  std::thread([&] { const GatePass second(gate, {}); }).join();  // would hang if it had to wait
}

// Comes in on a thread of its own and stays until it goes.
class Visitor {
 public:
  Visitor(Gate& gate, Gate::Wish wish)
      : thread_([this, &gate, wish] {
          GatePass pass(gate, wish);
          pass_ = &pass;
          pass_.notify_all();
          go_.wait(false);
        }) {}
  ~Visitor() {
    go_ = true;
    go_.notify_all();
    thread_.join();
  }
  // Hangs where it is kept out.
  GatePass& pass() {
    pass_.wait(nullptr);
    return *pass_;
  }
  [[nodiscard]] bool is_outside() const {
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    return pass_ == nullptr;
  }

 private:
  std::atomic<GatePass*> pass_ = nullptr;
  std::atomic<bool> go_ = false;
  std::thread thread_;
};

TEST(Gate, TwoLightOnesShareAPlaceAndNoneIsOvertaken) {
  Gate gate(2);
  auto first = std::make_unique<Visitor>(gate, Gate::Wish{.light = true});
  first->pass();
  Visitor second(gate, {.light = true});
  second.pass();
  Visitor third(gate, {.light = true});
  third.pass();
  Visitor whole(gate, {});
  ASSERT_TRUE(whole.is_outside());
  Visitor light(gate, {.light = true});
  EXPECT_TRUE(light.is_outside()) << "what comes later would keep a larger one out for ever";
  first.reset();
  whole.pass();
  EXPECT_TRUE(light.is_outside());
  second.pass().set_asleep(true);
  light.pass();
}

TEST(Gate, OthersRunInThePlacesOfThoseThatSleep) {
  Gate gate(1);
  std::vector<std::unique_ptr<Visitor>> sleepers;
  for (int i = 0; i < Gate::kMostParked; ++i) {
    sleepers.push_back(std::make_unique<Visitor>(gate, Gate::Wish{}));
    sleepers.back()->pass().set_asleep(true);
    sleepers.back()->pass().set_asleep(true);  // as if it were told twice
  }
  auto last = std::make_unique<Visitor>(gate, Gate::Wish{});
  last->pass().set_asleep(true);  // one too many
  Visitor next(gate, {});
  EXPECT_TRUE(next.is_outside());
  last.reset();
  next.pass();
  sleepers[0]->pass().set_asleep(false);
  auto alone = std::make_unique<Visitor>(gate, Gate::Wish{.alone = true});
  EXPECT_TRUE(alone->is_outside());
  sleepers[0].reset();
  EXPECT_TRUE(alone->is_outside());
  next.pass().set_asleep(true);
  alone->pass();  // sleepers do not disturb
  alone->pass().set_asleep(true);
  Visitor later(gate, {});
  EXPECT_TRUE(later.is_outside());
  alone.reset();
  later.pass();
}

Evidence with_verdict(Verdict verdict) {
  Evidence evidence;
  evidence.verdict = verdict;
  return evidence;
}

TEST(EvidenceCache, EqualKeysAreExaminedOnceAlsoAtTheSameTime) {
  EvidenceCache cache(100'000);
  std::atomic<int> examined = 0;
  std::atomic<int> cached = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      const Evidence evidence = cache.get("key", [&] {
        ++examined;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        return with_verdict(Verdict::kWA);
      });
      EXPECT_EQ(evidence.verdict, Verdict::kWA);
      cached += evidence.cached ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(examined, 1);
  EXPECT_EQ(cached, 7);
}

TEST(EvidenceCache, FaultsOfOursAreNotKept) {
  EvidenceCache cache(100'000);
  EXPECT_EQ(cache.get("key", [] { return with_verdict(Verdict::kSE); }).verdict, Verdict::kSE);
  const Evidence second = cache.get("key", [] { return with_verdict(Verdict::kAC); });
  EXPECT_EQ(second.verdict, Verdict::kAC);
  EXPECT_FALSE(second.cached);
}

TEST(EvidenceCache, WhatIsNotSureIsNotKept) {
  EvidenceCache cache(100'000);
  const auto never = [](const Evidence&) { return false; };
  EXPECT_EQ(cache
                .get(
                    "key", [] { return with_verdict(Verdict::kTLE); }, never)
                .verdict,
            Verdict::kTLE);
  EXPECT_FALSE(cache
                   .get(
                       "key", [] { return with_verdict(Verdict::kAC); }, never)
                   .cached);
}

TEST(EvidenceCache, TheOldestGoesFirstWhereTheBytesAreFull) {
  EvidenceCache cache(45'000);
  int examined = 0;
  const auto ask = [&](const std::string& key, std::size_t bytes = 20'000) {
    return cache.get(key, [&] {
      ++examined;
      Evidence evidence = with_verdict(Verdict::kAC);
      evidence.output.resize(bytes);
      return evidence;
    });
  };
  ask("a");
  ask("b");
  ask("c");
  EXPECT_TRUE(ask("c").cached);
  EXPECT_TRUE(ask("b").cached);
  EXPECT_FALSE(ask("a").cached);
  EXPECT_EQ(examined, 4);
  ask("more than there is room for", 50'000);
  EXPECT_FALSE(ask("more than there is room for", 50'000).cached);
  EXPECT_FALSE(ask("a").cached);
  EXPECT_TRUE(ask("a").cached);
}

TEST(EvidenceStore, HoldsEvidenceForTheSameToolsAndNoFaults) {
  const std::string folder = testing::TempDir() + "plumb_evidence_" + std::to_string(getpid());
  Evidence evidence = with_verdict(Verdict::kRE);
  evidence.tests = {Verdict::kAC, Verdict::kRE};
  evidence.output = "caf\xff";
  evidence.errors = "Traceback";
  evidence.exit_code = 3;
  evidence.signal = 9;
  evidence.diagnostics = {{"error", "expected ';'", 2, 3}};
  evidence.peak_mib = 12.5;
  const std::string key(64, 'a');
  {
    const auto store = EvidenceStore::open(folder, "clang 16").value();
    EXPECT_FALSE(store->find(key).has_value());
    store->store(key, evidence);
    store->store(std::string(64, 'b'), with_verdict(Verdict::kSE));
    store->store(std::string(64, 'c'), with_verdict(Verdict::kTLE));
  }
  const auto later = EvidenceStore::open(folder, "clang 16").value();
  const auto found = later->find(key);
  ASSERT_TRUE(found.has_value());
  EXPECT_TRUE(found->cached);
  EXPECT_EQ(found->verdict, evidence.verdict);
  EXPECT_EQ(found->tests, evidence.tests);
  EXPECT_EQ(found->output, evidence.output);
  EXPECT_EQ(found->errors, evidence.errors);
  EXPECT_EQ(found->exit_code, 3);
  EXPECT_EQ(found->signal, 9);
  EXPECT_EQ(found->diagnostics[0].line, 2);
  EXPECT_EQ(found->peak_mib, 12.5);
  EXPECT_FALSE(later->find(std::string(64, 'b')).has_value());
  EXPECT_FALSE(later->find(std::string(64, 'c')).has_value());
  EXPECT_FALSE(EvidenceStore::open(folder, "clang 17").value()->find(key).has_value());
  // Of many caches one examines, and a torn file is as none.
  EvidenceCache cache(100'000);
  cache.keep_in(later.get());
  EXPECT_TRUE(cache.get(key, [] { return with_verdict(Verdict::kAC); }).cached);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == ".json") {
      std::filesystem::resize_file(entry.path(), 10);
    }
  }
  EXPECT_FALSE(later->find(key).has_value());
  EXPECT_FALSE(EvidenceStore::open("/proc/nowhere", "x").ok());
  std::filesystem::remove_all(folder);
}

TEST(SubmissionKey, DependsOnAllThatEvidenceDependsOn) {
  const Submission base = test::add_submission(Language::kPython, "def add(a, b): return a + b");
  std::vector<Submission> changed(9, base);
  changed[0].source += " ";
  changed[1].language = Language::kCpp;
  changed[2].function.returns = "float";
  changed[3].args[0][0] = 4;
  changed[4].expected[0] = 6;
  changed[5].limits.memory_mib = 128;
  changed[6].stop_at_first_failure = false;
  changed[7].limits.compile_cpu_s = 9;
  changed[8].forbidden = {"eval"};
  for (const Submission& one : changed) {
    EXPECT_NE(submission_key(one), submission_key(base));
  }
  Submission same = base;
  same.id = "another name";
  EXPECT_EQ(submission_key(same), submission_key(base));
  // A type is part of a value: 1 and 1.0 and true are three expectations.
  Submission one = base;
  one.expected[0] = 1;
  Submission real = base;
  real.expected[0] = 1.0;
  EXPECT_NE(submission_key(one), submission_key(real));
  // Bytes that are no UTF-8 make keys, too.
  Submission bytes = base;
  bytes.source = "\xFF\xFE";
  Submission others = base;
  others.source = "\xFF\xFF";
  EXPECT_NE(submission_key(bytes), submission_key(others));
}

}  // namespace
}  // namespace plumb
