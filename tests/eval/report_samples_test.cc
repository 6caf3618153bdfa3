// The browser of rollouts: what its tokens are coloured by, and what counts as a pass.

#include "eval/samples.h"
#include "tests/eval/report_fixture.h"

namespace plumb {
namespace {

SampleRecord rollout(int index, double value, std::optional<double> advantage) {
  SampleRecord sample;
  sample.stage = "grpo";
  sample.kind = "train";
  sample.step = 1;
  sample.prompt_id = "primer/one/cpp";
  sample.language = "cpp";
  sample.sample = index;
  sample.text = "ab<i>";
  sample.token_ends = {1, 2, 5};
  sample.log_probs = {-0.01, -1.0, -6.0};
  sample.tokens = 3;
  sample.finish = "stop";
  sample.reward = value;
  sample.verdict = value >= 1 ? "AC" : "WA";
  sample.parts = {{"tests", value, 1, ""}};
  sample.advantage = advantage;
  return sample;
}

class ReportSamples : public ReportFixture {
 protected:
  void write_samples(const std::vector<SampleRecord>& samples) const {
    std::string lines;
    for (const SampleRecord& sample : samples) {
      lines += to_json(sample).dump() + "\n";
    }
    write("samples.jsonl", lines);
  }
};

TEST_F(ReportSamples, ASwitchColoursTokensByTheAdvantage) {
  write_samples(
      {rollout(0, 1, 2.0), rollout(1, 1, 0.4), rollout(2, 0, -1.1), rollout(3, 0, 0.0), rollout(4, 0, std::nullopt)});
  const std::string html = report();
  EXPECT_EQ(count(html, "id=\"tint-advantage\""), 1U);
  // Strength by size, in quarters of the largest.
  const std::string tokens =
      "<span class=\"q0\" title=\"log-prob -0.01\">a</span><span class=\"q2\" title=\"log-prob -1.00\">b</span>"
      "<span class=\"q5\" title=\"log-prob -6.00\">&lt;i&gt;</span></pre>";
  EXPECT_EQ(count(html, "<pre class=\"gain w4\">" + tokens), 1U);
  EXPECT_EQ(count(html, "<pre class=\"gain w1\">" + tokens), 1U);
  EXPECT_EQ(count(html, "<pre class=\"loss w3\">" + tokens), 1U);
  EXPECT_EQ(count(html, "<pre class=\"\">" + tokens), 2U);  // nothing moved these
  EXPECT_TRUE(holds(html, "<span class=\"swatch loss w4\">-2.00</span>"));
  // What the switch does is in the style sheet: it takes log-prob's tints away and puts the advantage's there.
  EXPECT_TRUE(holds(html, "body:has(#tint-advantage:checked) details.case pre span{background:none}"));
}

TEST_F(ReportSamples, TokensOfRewardedStepsAreColouredByTheirOwn) {
  SampleRecord sample = rollout(0, 1, 0.5);
  sample.token_advantages = {0.5, 0.5, -2};
  sample.steps = {{2, 0.75}, {3, 0.25}};
  write_samples({sample, rollout(1, 0, -1.0)});
  const std::string html = report();
  EXPECT_TRUE(holds(html,
                    "<pre class=\"\"><span class=\"q0 gain w1\" title=\"log-prob -0.01, advantage +0.50, step "
                    "0.75\">a</span><span class=\"q2 gain w1\" title=\"log-prob -1.00, advantage +0.50, step "
                    "0.75\">b</span><span class=\"q5 loss w4\" title=\"log-prob -6.00, advantage -2.00, step "
                    "0.25\">&lt;i&gt;</span></pre>"));
  EXPECT_TRUE(holds(html, "<pre class=\"loss w2\"><span class=\"q0\" title=\"log-prob -0.01\">a</span>"));
  EXPECT_TRUE(holds(html, "The advantage of the token, up to"));
}

TEST_F(ReportSamples, NoSwitchWithoutAdvantages) {
  write_samples({rollout(0, 1, std::nullopt), rollout(1, 0, 0.0)});
  const std::string html = report();
  EXPECT_FALSE(holds(html, "id=\"tint-advantage\""));
  EXPECT_TRUE(holds(html, "A token whose chance was below"));
}

TEST_F(ReportSamples, TokensOfUnknownPlaceAreColouredAsOneText) {
  SampleRecord sample = rollout(0, 1, 1.0);
  sample.token_ends = {};
  write_samples({sample});
  EXPECT_TRUE(holds(report(), "<pre class=\"gain w4\"><span>ab&lt;i&gt;</span></pre>"));
}

TEST_F(ReportSamples, AFilterShowsWhateverItNames) {
  SampleRecord long_one = rollout(0, 1, 1.0);
  long_one.finish = "length";
  SampleRecord broken = rollout(1, 0, -1.0);
  broken.verdict = "CE";
  SampleRecord lost = rollout(2, 0, std::nullopt);
  lost.unscored = "the judge broke";
  write_samples({long_one, broken, lost});
  const std::string html = report();
  for (const char* side : {"is-pass is-cut\"><header><b>sample 1", "is-fail is-ce\"><header><b>sample 2",
                           "is-unscored\"><header><b>sample 3"}) {
    EXPECT_TRUE(holds(html, std::string("<div class=\"side ") + side)) << side;
  }
}

TEST_F(ReportSamples, GroupsThatTaughtComeBeforeThoseThatDidNot) {
  const auto at = [](int step, const char* prompt, SampleRecord sample) {
    sample.step = step;
    sample.prompt_id = prompt;
    return sample;
  };
  const std::vector<SampleRecord> dull = {
      at(1, "dull", rollout(0, 0, std::nullopt)), at(1, "dull", rollout(1, 0, std::nullopt)),
      at(3, "also dull", rollout(0, 1, 0.0)), at(3, "also dull", rollout(1, 0, 0.0))};
  std::vector<SampleRecord> samples = dull;
  samples.push_back(at(2, "duller", rollout(0, 0, std::nullopt)));
  samples.push_back(at(2, "taught", rollout(0, 1, 1.0)));
  samples.push_back(at(2, "taught", rollout(1, 0, -1.0)));
  write_samples(samples);
  std::string html = report();
  EXPECT_TRUE(holds(html, "open><summary>Step 2 · taught · 1 of 2 pass"));
  EXPECT_EQ(count(html, "<summary>Step "), 1U);
  EXPECT_TRUE(holds(html, "some rewarded and some not"));
  const std::vector<SampleRecord> pulled = {at(1, "pulled", rollout(0, 0, 0.5)), at(1, "pulled", rollout(1, 0, -0.5))};
  samples.insert(samples.end(), pulled.begin(), pulled.end());  // by a divergence: of equal rewards
  write_samples(samples);
  html = report();
  EXPECT_EQ(count(html, "<summary>Step "), 1U);
  EXPECT_FALSE(holds(html, "pulled"));
  write_samples(pulled);
  html = report();
  EXPECT_TRUE(holds(html, "open><summary>Step 1 · pulled"));
  EXPECT_FALSE(holds(html, "some rewarded and some not"));
  write_samples(dull);
  html = report();
  EXPECT_TRUE(holds(html, "open><summary>Step 3 · also dull"));  // its rewards differ at least
  EXPECT_FALSE(holds(html, "some rewarded and some not"));
  EXPECT_TRUE(holds(html, "Nothing was learned from any of the saved groups"));
}

TEST_F(ReportSamples, AVerdictIsAPassWhateverItPaid) {
  SampleRecord right = rollout(0, 1, 0.5);
  right.reward = 0.7;  // a reward model drives: the tests are judged and pay nothing
  SampleRecord wrong = rollout(1, 0, -0.5);
  wrong.reward = 1.2;
  write_samples({right, wrong});
  const std::string html = report();
  EXPECT_TRUE(holds(html, "1 of 2 pass"));
  EXPECT_TRUE(
      holds(html, "<div class=\"side is-pass\"><header><b>sample 1</b><span class=\"chip pass\">passes</span>"));
  EXPECT_TRUE(holds(html, "<div class=\"side is-fail\"><header><b>sample 2</b><span class=\"chip fail\">wrong answer"));
}

}  // namespace
}  // namespace plumb
