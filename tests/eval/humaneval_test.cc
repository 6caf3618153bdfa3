#include "eval/humaneval.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdlib>
#include <fstream>

namespace plumb {
namespace {

const char* const kProblem =
    R"({"task_id":"HumanEval/4","prompt":"def double(n: int) -> int:\n    \"\"\" Twice n. \"\"\"\n",)"
    R"("entry_point":"double","canonical_solution":"    return 2 * n\n",)"
    R"("test":"def check(candidate):\n    assert candidate(2) == 4\n"})";

class HumanEvalFile : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = ::testing::TempDir() + "humaneval-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
    return folder_ / name;
  }
  std::filesystem::path write_gzip(const std::string& text) {
    const std::filesystem::path path = folder_ / "HumanEval.jsonl.gz";
    gzFile file = gzopen(path.c_str(), "wb");
    gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
    gzclose(file);
    return path;
  }

  std::filesystem::path folder_;
};

TEST_F(HumanEvalFile, ReadsGzippedAndPlainLinesAndMarksOverlaps) {
  const auto overlap = write("overlap.json", R"({"humaneval_to_primer":{"HumanEval/4":["primer/x"]}})");
  for (const auto& file : {write_gzip(std::string(kProblem) + "\n\n"), write("plain.jsonl", kProblem)}) {
    const auto problems = load_humaneval(file, overlap);
    ASSERT_TRUE(problems.ok()) << problems.error().message;
    ASSERT_EQ(problems->size(), 1U);
    EXPECT_EQ(problems->front().task_id, "HumanEval/4");
    EXPECT_EQ(problems->front().entry_point, "double");
    EXPECT_TRUE(problems->front().overlaps);
  }
  EXPECT_FALSE(load_humaneval(folder_ / "plain.jsonl", "")->front().overlaps);
}

TEST_F(HumanEvalFile, RefusesWhatIsNoProblemNamingTheLine) {
  const auto error_of = [](const std::filesystem::path& file) {
    const auto problems = load_humaneval(file, "");
    return problems.ok() ? std::string() : problems.error().message;
  };
  EXPECT_NE(error_of(folder_ / "absent.gz").find("absent.gz: cannot be opened"), std::string::npos);
  EXPECT_NE(error_of(write("empty", "\n")).find("holds no problem"), std::string::npos);
  EXPECT_NE(error_of(write("broken", std::string(kProblem) + "\n{\"task_id\":1}\n")).find("broken:2"),
            std::string::npos);
  const auto whole = write_gzip(std::string(2000, ' ') + kProblem);
  std::filesystem::resize_file(whole, std::filesystem::file_size(whole) - 12);
  EXPECT_NE(error_of(whole).find("truncated"), std::string::npos);
}

class HumanEvalText : public HumanEvalFile {
 protected:
  void SetUp() override {
    HumanEvalFile::SetUp();
    problem_ = load_humaneval(write("plain.jsonl", kProblem), "").value().front();
  }
  HumanEvalProblem problem_;
};

TEST_F(HumanEvalText, AsksForOneCodeBlockWithThePromptInIt) {
  const PromptRecord prompt = humaneval_prompt(problem_);
  EXPECT_EQ(prompt.language, Language::kPython);
  EXPECT_NE(prompt.messages.front().content.find(problem_.prompt), std::string::npos);
}

TEST_F(HumanEvalText, AWholeFunctionIsAppendedAndABodyIsIndented) {
  EXPECT_EQ(humaneval_completion(problem_, "Sure:\n```python\ndef double(n):\n    return n + n\n```\nDone."),
            "\ndef double(n):\n    return n + n\n");
  EXPECT_EQ(humaneval_completion(problem_, "```\nm = n\n\nreturn m + n\n```"), "\n    m = n\n\n    return m + n\n");
  EXPECT_EQ(humaneval_completion(problem_, "    return n + n\n"), "\n    return n + n\n");
}

TEST_F(HumanEvalText, ProgramAndTestsAreApart) {
  const std::string program = humaneval_program(problem_, humaneval_completion(problem_, "    return n + n\n"));
  EXPECT_TRUE(program.starts_with(problem_.prompt));
  EXPECT_EQ(program.find("check"), std::string::npos);  // no expected value is where the candidate is
  const std::string tests = humaneval_tests(problem_);
  EXPECT_LT(tests.find("assert candidate(2) == 4"), tests.find("check(double)"));
}

}  // namespace
}  // namespace plumb
