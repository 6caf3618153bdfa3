#pragma once
// What the rules of this program say, and where.

#include <clang/Basic/SourceManager.h>

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace plumb {

struct ClangFinding {
  std::string rule;
  int line = 0;
  int column = 0;
  std::string message;
};

/// Collects findings; those outside of the candidate's own file are left out, and of one rule those beyond the first
/// 100 different ones, so that no flood of one hides another. Lines are the file's own, whatever a #line in it says.
class FindingSink {
 public:
  explicit FindingSink(const clang::SourceManager& sources) : sources_(sources) {}

  void add(const std::string& rule, clang::SourceLocation where, const std::string& message) {
    const clang::SourceLocation at = sources_.getFileLoc(where);
    if (!at.isValid() || !sources_.isWrittenInMainFile(at)) {
      return;
    }
    ClangFinding one{rule, static_cast<int>(sources_.getSpellingLineNumber(at)),
                     static_cast<int>(sources_.getSpellingColumnNumber(at)), message.substr(0, kMostText)};
    std::size_t& count = counts_[rule];
    if (count < kMostOfARule && seen_.emplace(rule, one.line, one.column, one.message).second) {
      ++count;
      findings_.push_back(std::move(one));
    }
  }
  [[nodiscard]] const std::vector<ClangFinding>& findings() const { return findings_; }

 private:
  static constexpr std::size_t kMostOfARule = 100;
  static constexpr std::size_t kMostText = 500;

  const clang::SourceManager& sources_;
  std::vector<ClangFinding> findings_;
  std::set<std::tuple<std::string, int, int, std::string>> seen_;
  std::map<std::string, std::size_t> counts_;
};

}  // namespace plumb
