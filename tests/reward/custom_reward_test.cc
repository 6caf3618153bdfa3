#include "reward/rules/custom/custom_reward.h"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <thread>
#include <utility>

namespace plumb {
namespace {

using std::chrono::milliseconds;

// Answers by a function of the request's lines; counts what was asked.
class FakeExchange : public LineExchange {
 public:
  using Answer = std::function<Result<void>(const std::vector<nlohmann::json>& asked, const LineSink& sink)>;
  explicit FakeExchange(Answer answer, int* exchanges = nullptr, int* lines = nullptr)
      : answer_(std::move(answer)), exchanges_(exchanges), lines_(lines) {}

  Result<void> exchange(std::span<const std::string> lines, double /*timeout_s*/, const LineSink& sink) override {
    std::vector<nlohmann::json> asked;
    for (const std::string& line : lines) {
      asked.push_back(nlohmann::json::parse(line));
    }
    if (exchanges_ != nullptr) {
      ++*exchanges_;
      *lines_ += static_cast<int>(lines.size());
    }
    return answer_(asked, sink);
  }

 private:
  Answer answer_;
  int* exchanges_;
  int* lines_;
};

// A completion's score is its length over 100, answered last line first.
Result<void> by_length(const std::vector<nlohmann::json>& asked, const LineSink& sink) {
  for (auto each = asked.rbegin(); each != asked.rend(); ++each) {
    const double score = static_cast<double>((*each)["completion"].get<std::string>().size()) / 100;
    PLUMB_TRY(sink(nlohmann::json{{"id", (*each)["id"]}, {"score", score}, {"reason", "by length"}}.dump()));
  }
  return {};
}

class Texts {
 public:
  explicit Texts(const std::vector<std::string>& texts) {
    prompt_.id = "p";
    prompt_.data_source = "mine";
    prompt_.messages = {{"user", "Say something."}};
    prompt_.extra_info = {{"level", 3}};
    completions_.resize(texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) {
      completions_[i].text = texts[i];
      items_.push_back({&prompt_, &completions_[i]});
    }
  }
  [[nodiscard]] std::span<const CustomItem> items() const { return items_; }

 private:
  PromptRecord prompt_;
  std::vector<Completion> completions_;
  std::vector<CustomItem> items_;
};

CustomRewardOptions quick_options() {
  CustomRewardOptions options;
  options.timeout_s = 20;
  options.retries = 1;
  return options;
}

std::vector<double> values(const std::vector<CustomScore>& scores) {
  std::vector<double> all;
  for (const CustomScore& score : scores) {
    EXPECT_EQ(score.fault, "");
    all.push_back(score.value);
  }
  return all;
}

TEST(CustomRewardTest, ScoresKeepTheOrderAndEqualQuestionsAreAskedOnce) {
  int exchanges = 0;
  int lines = 0;
  CustomRewardOptions options = quick_options();
  options.batch = 2;
  CustomReward reward(options, std::make_unique<FakeExchange>(by_length, &exchanges, &lines));
  EXPECT_EQ(values(reward.score(Texts({"a", "bcd", "a", "", "ef"}).items())),
            (std::vector<double>{0.01, 0.03, 0.01, 0, 0.02}));
  EXPECT_EQ(exchanges, 2);
  EXPECT_EQ(lines, 4);
}

TEST(CustomRewardTest, ARequestTellsWhatThereIsToKnow) {
  nlohmann::json seen;
  const auto look = [&](const std::vector<nlohmann::json>& asked, const LineSink& sink) {
    seen = asked.front();
    return by_length(asked, sink);
  };
  CustomReward reward(quick_options(), std::make_unique<FakeExchange>(look));
  (void)reward.score(Texts({"caf\xc3\xa9 \xff"}).items());
  EXPECT_EQ(seen["completion"], "caf\xc3\xa9 \xef\xbf\xbd");  // what is no UTF-8 becomes U+FFFD
  EXPECT_EQ(seen["prompt"], nlohmann::json::parse(R"([{"role": "user", "content": "Say something."}])"));
  EXPECT_EQ(seen["prompt_id"], "p");
  EXPECT_EQ(seen["data_source"], "mine");
  EXPECT_EQ(seen["extra_info"]["level"], 3);
}

TEST(CustomRewardTest, OneThatEndsTheProgramTakesNoOtherWithIt) {
  const auto dies = [](const std::vector<nlohmann::json>& asked, const LineSink& sink) -> Result<void> {
    for (const nlohmann::json& each : asked) {
      if (each["completion"] == "poison") {
        return Error{"ended before it had answered"};
      }
      PLUMB_TRY(by_length({each}, sink));
    }
    return {};
  };
  CustomRewardOptions options = quick_options();
  options.retries = 2;
  options.breaker_failures = 3;
  CustomReward reward(options, std::make_unique<FakeExchange>(dies));
  const auto scores = reward.score(Texts({"one", "poison", "three", "five5"}).items());
  EXPECT_EQ(scores[0].value, 0.03);
  EXPECT_EQ(scores[1].fault, "custom reward: ended before it had answered");
  EXPECT_EQ(scores[2].value, 0.05);
  EXPECT_EQ(scores[2].fault, "");
  EXPECT_EQ(scores[3].value, 0.05);
}

TEST(CustomRewardTest, AFaultMayPassOnARetry) {
  int calls = 0;
  const auto second_time = [&](const std::vector<nlohmann::json>& asked, const LineSink& sink) -> Result<void> {
    const std::string id = asked.front()["id"];
    return ++calls == 1 ? sink(R"({"id": ")" + id + R"(", "error": "rate limit"})") : by_length(asked, sink);
  };
  CustomReward reward(quick_options(), std::make_unique<FakeExchange>(second_time));
  EXPECT_EQ(values(reward.score(Texts({"1234"}).items())), std::vector<double>{0.04});
}

TEST(CustomRewardTest, WhatIsNoScoreIsAFaultAndNeverAZero) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"{\"id\": \"0\", \"score\": 1.5}", "a score from 0 to 1, found 1.5"},
      {"{\"id\": \"0\", \"score\": -0.1}", "a score from 0 to 1"},
      {"{\"id\": \"0\", \"score\": \"high\"}", "\"score\": a number"},
      {"{\"id\": \"0\", \"score\": null}", "\"score\": a number"},
      {"{\"id\": \"0\"}", "\"score\": a number"},
      {"{\"id\": \"1\", \"score\": 1}", "for each line asked"},
      {"{\"score\": 1}", "for each line asked"},
      {"[1]", "for each line asked"},
      {"Traceback \x1b[31m (most recent call last):", "found Traceback  (most"},
      {"{\"id\": \"0\", \"error\": \"no \x1b[0mmodel\"}", "no model"},
  };
  for (const auto& [line, words] : cases) {
    const auto says = [&](const std::vector<nlohmann::json>&, const LineSink& sink) { return sink(line); };
    CustomRewardOptions once = quick_options();
    once.retries = 0;
    CustomReward reward(once, std::make_unique<FakeExchange>(says));
    const CustomScore score = reward.score(Texts({"x"}).items()).front();
    EXPECT_NE(score.fault.find(words), std::string::npos) << line << " -> " << score.fault;
  }
  const auto twice = [](const std::vector<nlohmann::json>&, const LineSink& sink) -> Result<void> {
    PLUMB_TRY(sink(R"({"id": "0", "score": 1})"));
    return sink(R"({"id": "0", "score": 0})");
  };
  CustomRewardOptions once = quick_options();
  once.retries = 0;
  CustomReward reward(once, std::make_unique<FakeExchange>(twice));
  EXPECT_NE(reward.score(Texts({"x", "y"}).items())[1].fault, "");
}

TEST(CustomRewardTest, NoErrorIsNone) {
  const auto polite = [](const std::vector<nlohmann::json>& asked, const LineSink& sink) {
    return sink(nlohmann::json{{"id", asked[0]["id"]}, {"score", 0.5}, {"error", nullptr}}.dump());
  };
  CustomReward reward(quick_options(), std::make_unique<FakeExchange>(polite));
  EXPECT_EQ(reward.score(Texts({"x"}).items()).front().value, 0.5);
}

// The second of two equal answers arrives when the next completion has been asked: it must not be taken for its score.
TEST(CustomRewardTest, AnAnswerThatComesLateIsNobodysElse) {
  std::string late;
  const auto doubled = [&](const std::vector<nlohmann::json>& asked, const LineSink& sink) -> Result<void> {
    if (!late.empty()) {
      PLUMB_TRY(sink(std::exchange(late, "")));
    }
    const double score = asked.front()["completion"] == "good" ? 1 : 0.25;
    late = nlohmann::json{{"id", asked.front()["id"]}, {"score", score}}.dump();
    return sink(late);
  };
  CustomReward reward(quick_options(), std::make_unique<FakeExchange>(doubled));
  EXPECT_EQ(reward.score(Texts({"good"}).items()).front().value, 1);
  const CustomScore next = reward.score(Texts({"bad"}).items()).front();
  EXPECT_EQ(next.fault, "");
  EXPECT_EQ(next.value, 0.25);
}

TEST(CustomRewardTest, TheCircuitOpensAndTriesAgain) {
  int exchanges = 0;
  int lines = 0;
  bool up = false;
  const auto sometimes = [&](const std::vector<nlohmann::json>& asked, const LineSink& sink) -> Result<void> {
    return up ? by_length(asked, sink) : Error{"connection refused"};
  };
  CustomRewardOptions options = quick_options();
  options.retries = 0;
  options.breaker_failures = 2;
  options.breaker_s = 0.3;
  CustomReward reward(options, std::make_unique<FakeExchange>(sometimes, &exchanges, &lines));
  for (int i = 0; i < 5; ++i) {
    const std::string fault = reward.score(Texts({"x"}).items()).front().fault;
    EXPECT_NE(fault.find("connection refused"), std::string::npos);
    EXPECT_EQ(fault.find("not asked, as 2 requests") != std::string::npos, i >= 2) << fault;
  }
  EXPECT_EQ(exchanges, 2);
  up = true;
  std::this_thread::sleep_for(milliseconds(350));
  EXPECT_EQ(values(reward.score(Texts({"x"}).items())), std::vector<double>{0.01});
  EXPECT_EQ(values(reward.score(Texts({"xy"}).items())), std::vector<double>{0.02});
}

TEST(CircuitBreakerTest, AFailedTrialStartsThePauseAgain) {
  const CircuitBreaker::Time start{};
  CircuitBreaker breaker(2, milliseconds(100));
  breaker.failed(start);
  EXPECT_TRUE(breaker.allows(start));
  breaker.failed(start);
  EXPECT_FALSE(breaker.allows(start + milliseconds(99)));
  EXPECT_TRUE(breaker.allows(start + milliseconds(100)));
  breaker.failed(start + milliseconds(100));
  EXPECT_FALSE(breaker.allows(start + milliseconds(199)));
  breaker.succeeded();
  EXPECT_TRUE(breaker.allows(start + milliseconds(199)));
}

class FakeStore : public CustomScoreStore {
 public:
  [[nodiscard]] std::optional<CustomScore> find(const std::string& key) const override {
    const auto found = known.find(key);
    return found == known.end() ? std::nullopt : std::optional(found->second);
  }
  void store(const std::string& key, const CustomScore& score) override { known[key] = score; }
  std::map<std::string, CustomScore> known;
};

TEST(CustomRewardTest, WhatIsRememberedIsNotAskedAndFaultsAreNotRemembered) {
  FakeStore store;
  int exchanges = 0;
  int lines = 0;
  const auto unless_bad = [](const std::vector<nlohmann::json>& asked, const LineSink& sink) -> Result<void> {
    for (const nlohmann::json& each : asked) {
      PLUMB_TRY(each["completion"] == "bad" ? sink(nlohmann::json{{"id", each["id"]}, {"error", "cannot"}}.dump())
                                            : by_length({each}, sink));
    }
    return {};
  };
  CustomRewardOptions options = quick_options();
  options.retries = 0;
  CustomReward first(options, std::make_unique<FakeExchange>(unless_bad, &exchanges, &lines), &store);
  EXPECT_EQ(first.score(Texts({"good", "bad"}).items())[0].value, 0.04);
  EXPECT_EQ(store.known.size(), 1U);
  CustomReward later(options, std::make_unique<FakeExchange>(by_length, &exchanges, &lines), &store);
  EXPECT_EQ(values(later.score(Texts({"good", "bad"}).items())), (std::vector<double>{0.04, 0.03}));
  EXPECT_EQ(lines, 3);
}

// --- programs ---

std::vector<std::string> python(const std::string& body) {
  return {"python3", "-c",
          "import json, os, sys, time\n"
          "for line in sys.stdin:\n"
          "    row = json.loads(line)\n"
          "    text = row['completion']\n" +
              body + "    print(json.dumps({'id': row['id'], 'score': len(text) / 1e6}), flush=True)\n"};
}

CustomReward program(const std::string& body, double timeout_s = 20) {
  CustomRewardOptions options = quick_options();
  options.timeout_s = timeout_s;
  options.command = python(body);
  return CustomReward(options);
}

TEST(CommandExchangeTest, AnswersLineByLineHoweverMuchThereIs) {
  std::vector<std::string> texts;
  for (int i = 0; i < 200; ++i) {
    texts.emplace_back(std::to_string(i) + std::string(20'000, 'x'));
  }
  CustomRewardOptions options = quick_options();
  options.batch = 200;  // 4 MB of requests against socket buffers of some 200 KB
  options.command = python("");
  CustomReward reward(options);
  for (int round = 0; round < 2; ++round) {  // the second one meets the same program
    const auto scores = reward.score(Texts(texts).items());
    EXPECT_EQ(scores[7].value, 20'001 / 1e6);
    EXPECT_EQ(scores[199].value, 20'003 / 1e6);
  }
}

TEST(CommandExchangeTest, AProgramThatDiesIsStartedAgain) {
  CustomReward reward = program("    os._exit(3) if text == 'die' else None\n");
  const auto scores = reward.score(Texts({"a", "die", "abc"}).items());
  EXPECT_EQ(scores[0].value, 1e-6);
  EXPECT_EQ(scores[1].fault, "custom reward: python3: ended before it had answered (it exited with status 3)");
  EXPECT_EQ(scores[2].value, 3e-6);
}

TEST(CommandExchangeTest, SilenceIsAFaultAndEndsWhatTheProgramStarted) {
  const auto start = std::chrono::steady_clock::now();
  CustomReward reward = program("    os.system('sleep 60') if text == 'hang' else None\n", 2);
  const auto scores = reward.score(Texts({"hang", "ab"}).items());
  EXPECT_NE(scores[0].fault.find("no answer for 2"), std::string::npos) << scores[0].fault;
  EXPECT_EQ(scores[1].value, 2e-6);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(40));
}

TEST(CommandExchangeTest, AProgramThatIsNotThereIsSaid) {
  CustomRewardOptions options = quick_options();
  options.command = {"plumb-no-such-program"};
  CustomReward reward(options);
  EXPECT_NE(reward.score(Texts({"a"}).items()).front().fault.find("plumb-no-such-program: cannot be started: No such"),
            std::string::npos);
}

}  // namespace
}  // namespace plumb
