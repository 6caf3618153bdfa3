#include "compiler_sandbox/findings.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string_view>

#include "tests/compiler_sandbox/judge_support.h"

namespace plumb {
namespace {

// A text, and the weakness that it has, or that it only looks like.
struct Fixture {
  std::string language;
  bool has = false;
  int cwe = 0;
  std::string source;
};

// The file's texts, each below a line "=== LANGUAGE for|against CWE".
std::vector<Fixture> read_fixtures(const std::string& name) {
  std::ifstream file(std::string(PLUMB_SOURCE_DIR) + "/tests/compiler_sandbox/findings/" + name);
  std::vector<Fixture> fixtures;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("=== ")) {
      Fixture fixture;
      std::string kind;
      std::istringstream(line.substr(4)) >> fixture.language >> kind >> fixture.cwe;
      EXPECT_TRUE((kind == "for" || kind == "against") && fixture.cwe > 0) << name << ": " << line;
      fixture.has = kind == "for";
      fixtures.push_back(std::move(fixture));
    } else if (!fixtures.empty()) {
      fixtures.back().source += line + "\n";
    }
  }
  EXPECT_FALSE(fixtures.empty()) << name;
  return fixtures;
}

bool reads_c(const Judge& judge) {
  return !judge.clang_reader("c", "").empty();
}

Result<std::vector<StaticFinding>> findings_in(Judge& judge, const std::string& language, const std::string& source) {
  return static_findings(judge, std::vector<SourceText>{{language, source}}).front();
}

std::set<int> cwes_of(const std::vector<StaticFinding>& findings) {
  std::set<int> cwes;
  for (const StaticFinding& one : findings) {
    cwes.insert(one.cwe);
  }
  return cwes;
}

// The numbers of the weaknesses found in each fixture.
std::vector<std::set<int>> found_in(Judge& judge, const std::vector<Fixture>& fixtures) {
  std::vector<SourceText> texts;
  for (const Fixture& fixture : fixtures) {
    texts.push_back({fixture.language, fixture.source});
  }
  std::vector<std::set<int>> found;
  for (const auto& findings : static_findings(judge, texts)) {
    EXPECT_TRUE(findings) << findings.error().message;
    found.push_back(findings ? cwes_of(*findings) : std::set<int>());
  }
  return found;
}

// The fixtures that the rules were made with: what they have is found, and nothing else.
TEST(Findings, InTheFixturesOfTheRules) {
  PLUMB_JUDGE_OR_SKIP(judge);
  std::vector<Fixture> fixtures = read_fixtures("rules_python.txt");
  if (reads_c(*judge)) {
    std::ranges::move(read_fixtures("rules_c.txt"), std::back_inserter(fixtures));
  }
  const std::vector<std::set<int>> found = found_in(*judge, fixtures);
  for (std::size_t i = 0; i < fixtures.size(); ++i) {
    const Fixture& fixture = fixtures[i];
    EXPECT_EQ(found[i], fixture.has ? std::set{fixture.cwe} : std::set<int>()) << fixture.source;
  }
}

struct Counts {
  int with = 0;     // fixtures that have the weakness
  int without = 0;  // that only look like it
  int right = 0;
  int wrong = 0;

  [[nodiscard]] std::string cells() const {
    if (with == 0 && without == 0 && wrong == 0) {
      return " | | |";
    }
    char text[64];
    std::snprintf(text, sizeof text, " %d, %d | %.2f | %.2f |", with, without,
                  static_cast<double>(right) / std::max(1, right + wrong),
                  static_cast<double>(right) / std::max(1, with));
    return text;
  }
};

// By number: of Python, of C and C++.
std::map<int, std::array<Counts, 2>> count(const std::vector<Fixture>& fixtures,
                                           const std::vector<std::set<int>>& found) {
  std::map<int, std::array<Counts, 2>> table;
  for (std::size_t i = 0; i < fixtures.size(); ++i) {
    const std::size_t column = fixtures[i].language == "python" ? 0 : 1;
    Counts& own = table[fixtures[i].cwe][column];
    ++(fixtures[i].has ? own.with : own.without);
    for (const int cwe : found[i]) {
      Counts& counts = table[cwe][column];
      ++(fixtures[i].has && cwe == fixtures[i].cwe ? counts.right : counts.wrong);
    }
  }
  return table;
}

// docs/sandbox.md has a row "| 78 | a text for a shell | 9, 8 | 1.00 | 1.00 | ...": fixtures for and against, precision
// and recall of Python, then of C and C++.
TEST(Findings, TableInTheDocumentation) {
  PLUMB_JUDGE_OR_SKIP(judge);
  if (!reads_c(*judge)) {
    GTEST_SKIP() << "plumb was built without clang's libraries";
  }
  std::vector<Fixture> fixtures;
  for (const char* name : {"rules_python.txt", "variations_python.txt", "rules_c.txt", "variations_c.txt"}) {
    std::ranges::move(read_fixtures(name), std::back_inserter(fixtures));
  }
  const auto table = count(fixtures, found_in(*judge, fixtures));
  std::ifstream page(std::string(PLUMB_SOURCE_DIR) + "/docs/sandbox.md");
  std::map<int, std::string> rows;
  for (std::string line; std::getline(page, line);) {
    int cwe = 0;
    std::string bar;
    std::string after;
    if (std::istringstream(line) >> bar >> cwe >> after && bar == "|" && after == "|") {
      rows[cwe] = line;
    }
  }
  for (const auto& [cwe, columns] : table) {
    const std::string cells = columns[0].cells() + columns[1].cells();
    EXPECT_TRUE(rows[cwe].ends_with(" |" + cells))
        << "docs/sandbox.md, CWE-" << cwe << ": expected the end\n |" << cells << "\nfound the row\n"
        << rows[cwe];
    for (const Counts& counts : columns) {
      EXPECT_EQ(counts.with > 0, counts.without > 0) << "CWE-" << cwe << " has no fixtures of one kind";
    }
  }
  EXPECT_EQ(rows.size(), table.size()) << "docs/sandbox.md has rows without fixtures";
}

// The page says how many of them are found, in one sentence.
TEST(Findings, OfTextsThatTheRulesWereNotMadeFor) {
  PLUMB_JUDGE_OR_SKIP(judge);
  if (!reads_c(*judge)) {
    GTEST_SKIP() << "plumb was built without clang's libraries";
  }
  std::ifstream file(std::string(PLUMB_SOURCE_DIR) + "/docs/sandbox.md");
  std::string page;
  for (std::string word; file >> word;) {
    page += word + " ";
  }
  std::string sentence;
  for (const auto& [name, language] : {std::pair("unseen_python.txt", "Python"), {"unseen_c.txt", "C and C++"}}) {
    const std::vector<Fixture> fixtures = read_fixtures(name);
    Counts all;
    for (const auto& [cwe, columns] : count(fixtures, found_in(*judge, fixtures))) {
      for (const Counts& counts : columns) {
        all.with += counts.with;
        all.right += counts.right;
        all.wrong += counts.wrong;
      }
    }
    sentence += (sentence.empty() ? "of " : ", of ") + std::string(language) + " " + std::to_string(all.right) +
                " of " + std::to_string(all.with) + (sentence.empty() ? " are found with " : " with ") +
                std::to_string(all.wrong) + " false alarms";
  }
  EXPECT_NE(page.find(sentence), std::string::npos) << "docs/sandbox.md does not say: " << sentence;
}

TEST(Findings, AreOfTheTextAlone) {
  PLUMB_JUDGE_OR_SKIP(judge);
  // Run, it would never end; read, it has one finding, at its place.
  const auto endless = findings_in(*judge, "python", "while True:\n    eval(input())\n");
  ASSERT_TRUE(endless.ok()) << endless.error().message;
  ASSERT_EQ(endless->size(), 1U);
  EXPECT_EQ(std::tuple(endless->front().line, endless->front().column, endless->front().rule),
            std::tuple(2, 5, "evaluated-text"));
  for (const char* language : {"python", "cpp"}) {  // what does not parse has none, and is no fault
    if (std::string_view(language) == "cpp" && !reads_c(*judge)) {
      continue;
    }
    const auto broken = findings_in(*judge, language, std::string("(((\0\xff", 5));
    ASSERT_TRUE(broken.ok()) << broken.error().message;
    EXPECT_TRUE(broken->empty());
  }
  EXPECT_TRUE(findings_in(*judge, "go", "eval(x)")->empty());
}

TEST(Findings, ATextThatBreaksTheToolIsNoFaultOfOurs) {
  Evidence look;
  for (const Verdict verdict : {Verdict::kRE, Verdict::kTLE, Verdict::kMLE, Verdict::kOLE}) {
    look.verdict = verdict;
    look.exit_code = -1;
    const auto found = findings_of_look("cpp", look);
    ASSERT_TRUE(found.ok()) << found.error().message;
    ASSERT_EQ(found->size(), 1U);
    EXPECT_EQ(found->front().rule, "unreadable");
    EXPECT_EQ(found->front().severity, "high");
    EXPECT_NE(found->front().message.find(to_string(verdict)), std::string::npos) << found->front().message;
  }
  look.verdict = Verdict::kRE;
  for (const int not_started : {2, 126, 127}) {
    look.exit_code = not_started;
    EXPECT_FALSE(findings_of_look("cpp", look).ok()) << not_started;
  }
  look.verdict = Verdict::kSE;
  look.fault = "a worker was lost";
  EXPECT_EQ(findings_of_look("python", look).error().message, "a worker was lost");

  PLUMB_JUDGE_OR_SKIP(judge);
  std::string sum;
  for (int i = 0; i < 2000; ++i) {
    sum += "+a";
  }
  const auto deep = findings_in(*judge, "python", "import os\nos.system(input())\nx = a" + sum + "\n");
  ASSERT_TRUE(deep.ok()) << deep.error().message;
  ASSERT_EQ(deep->size(), 1U);
  EXPECT_EQ(deep->front().rule, "shell-command");
  const auto too_deep = findings_in(*judge, "python", "x = " + std::string(7000, '-') + "1\n");
  ASSERT_TRUE(too_deep.ok()) << too_deep.error().message;
  ASSERT_EQ(too_deep->size(), 1U);
  EXPECT_EQ(too_deep->front().rule, "unreadable");
}

TEST(Findings, WhatToolsPrintIsNotTrusted) {
  EXPECT_TRUE(python_findings("{\"rule\": 1}\nnonsense\n[]\n\n").empty());
  EXPECT_TRUE(python_findings(std::string(1000, '[')).empty());
  EXPECT_EQ(
      python_findings("{\"rule\":\"r\",\"cwe\":78,\"severity\":\"low\",\"line\":1,\"column\":2,\"message\":\"m\"}")
          .size(),
      1U);
  for (const char* printed :
       {"", "[]", "{", "{\"findings\": 3}", "{\"findings\": [1, {\"rule\": 1}, {\"rule\": \"core.DivideZero\"}]}",
        "{\"findings\": [{\"rule\": \"unheard-of\", \"line\": 1, \"column\": 1, \"message\": \"m\"}]}"}) {
    EXPECT_TRUE(clang_findings(printed).empty()) << printed;
  }
  nlohmann::json all = {{"findings", nlohmann::json::array()}};
  for (int i = 1; i < 1000; ++i) {
    all["findings"].push_back({{"rule", "core.DivideZero"}, {"line", i}, {"column", 1}, {"message", "m"}});
  }
  all["findings"].push_back(all["findings"].front());  // on two paths
  EXPECT_EQ(clang_findings(all.dump()).size(), 100U);
  all["findings"] = {all["findings"].front(), all["findings"].front()};
  EXPECT_EQ(clang_findings(all.dump()).size(), 1U);
}

}  // namespace
}  // namespace plumb
