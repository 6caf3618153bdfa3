#pragma once
// What the rules of this program say, and where.

#include <clang/Basic/SourceManager.h>

#include <string>
#include <vector>

namespace plumb {

struct ClangFinding {
  std::string rule;
  int line = 0;
  int column = 0;
  std::string message;
};

/// Collects findings; those outside of the candidate's own file are left out. Lines are the file's own, whatever a
/// #line in it says.
class FindingSink {
 public:
  explicit FindingSink(const clang::SourceManager& sources) : sources_(sources) {}

  void add(const std::string& rule, clang::SourceLocation where, const std::string& message) {
    const clang::SourceLocation at = sources_.getFileLoc(where);
    if (at.isValid() && sources_.isWrittenInMainFile(at)) {
      findings_.push_back({rule, static_cast<int>(sources_.getSpellingLineNumber(at)),
                           static_cast<int>(sources_.getSpellingColumnNumber(at)), message});
    }
  }
  [[nodiscard]] const std::vector<ClangFinding>& findings() const { return findings_; }

 private:
  const clang::SourceManager& sources_;
  std::vector<ClangFinding> findings_;
};

}  // namespace plumb
