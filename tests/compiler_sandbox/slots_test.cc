// The parts of the judge that many threads share.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "compiler_sandbox/evidence_cache.h"
#include "compiler_sandbox/slot_pool.h"
#include "judge_support.h"

namespace plumb {
namespace {

TEST(Gate, WhoIsAloneIsAlone) {
  Gate gate;
  std::atomic<int> inside = 0;
  std::atomic<int> violations = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 200; ++round) {
        const bool alone = (round + i) % 10 == 0;
        const GatePass pass(gate, alone);
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
  Gate gate;
  const GatePass first(gate, false);
  std::thread([&] { const GatePass second(gate, false); }).join();  // would hang if it had to wait
}

Evidence with_verdict(Verdict verdict) {
  Evidence evidence;
  evidence.verdict = verdict;
  return evidence;
}

TEST(EvidenceCache, EqualKeysAreExaminedOnceAlsoAtTheSameTime) {
  EvidenceCache cache(100);
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
  EvidenceCache cache(100);
  EXPECT_EQ(cache.get("key", [] { return with_verdict(Verdict::kSE); }).verdict, Verdict::kSE);
  const Evidence second = cache.get("key", [] { return with_verdict(Verdict::kAC); });
  EXPECT_EQ(second.verdict, Verdict::kAC);
  EXPECT_FALSE(second.cached);
}

TEST(EvidenceCache, TheOldestGoesFirst) {
  EvidenceCache cache(2);
  int examined = 0;
  const auto ask = [&](const std::string& key) {
    return cache.get(key, [&] {
      ++examined;
      return with_verdict(Verdict::kAC);
    });
  };
  ask("a");
  ask("b");
  ask("c");
  EXPECT_TRUE(ask("c").cached);
  EXPECT_TRUE(ask("b").cached);
  EXPECT_FALSE(ask("a").cached);
  EXPECT_EQ(examined, 4);
}

TEST(SubmissionKey, DependsOnAllThatEvidenceDependsOn) {
  const Submission base = test::add_submission(Language::kPython, "def add(a, b): return a + b");
  std::vector<Submission> changed(8, base);
  changed[0].source += " ";
  changed[1].language = Language::kCpp;
  changed[2].function.returns = "float";
  changed[3].args[0][0] = 4;
  changed[4].expected[0] = 6;
  changed[5].limits.memory_mib = 128;
  changed[6].stop_at_first_failure = false;
  changed[7].limits.compile_cpu_s = 9;
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
