// reward_scores: scores a second of a 2 KB program that has been judged before, in this process: once through the
// scorer (hash of the submission, evidence from memory, parts of the score), once through the server's memory of scores
// (hash of the question, answer). Checked first, then timed, in one thread. Prints one JSON object.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>

#include "reward/rules/scorer.h"
#include "reward/service/score_cache.h"

namespace plumb {
namespace {

using Clock = std::chrono::steady_clock;

std::string two_kilobytes() {
  std::string source = "def f(n):\n";
  while (source.size() < 2000) {
    source += "    # " + std::to_string(source.size()) + " counts its lines\n";
  }
  return "```python\n" + source + "    return n + 1\n```";
}

CompletionGroup one_completion() {
  auto prompt = std::make_shared<PromptRecord>();
  prompt->id = "bench/f";
  prompt->language = Language::kPython;
  prompt->function = {"f", {{"n", "int"}}, "int"};
  prompt->tests = {{{3}, 4}, {{0}, 1}};
  CompletionGroup group;
  group.prompt = prompt;
  group.completions.resize(1);
  group.completions[0].text = two_kilobytes();
  group.completions[0].finish_reason = FinishReason::kStop;
  return group;
}

// Calls a second, the best of three rounds of a second.
template <typename Call>
double rate(Call call) {
  double best = 0;
  for (int round = 0; round < 3; ++round) {
    const auto start = Clock::now();
    double seconds = 0;
    int calls = 0;
    for (; seconds < 1; seconds = std::chrono::duration<double>(Clock::now() - start).count()) {
      for (int i = 0; i < 100; ++i, ++calls) {
        call();
      }
    }
    best = std::max(best, calls / seconds);
  }
  return best;
}

int run() {
  auto judge = start_judge({});
  if (!judge) {
    std::fprintf(stderr, "reward_scores: %s\n", judge.error().message.c_str());
    return 1;
  }
  Scorer scorer(**judge, {});
  const CompletionGroup group = one_completion();
  const auto score = [&] { return scorer.score({group}).front().scores.front(); };
  (void)score();
  const Score known = score();
  ScoreCache cache(std::size_t{1} << 20);
  const std::string& question = group.completions[0].text;
  cache.store(ScoreCache::key("settings", question), "answer");
  const auto find = [&] { return cache.find(ScoreCache::key("settings", question)); };
  if (known.total != 1 || !known.evidence || !known.evidence->cached || find() == nullptr || *find() != "answer") {
    std::fprintf(stderr, "reward_scores: the right program is not solved, or not remembered\n");
    return 1;
  }
  const nlohmann::json result = {{"scorer_per_second", rate(score)}, {"server_memory_per_second", rate(find)}};
  std::printf("%s\n", result.dump().c_str());
  return 0;
}

}  // namespace
}  // namespace plumb

int main() {
  return plumb::run();
}
