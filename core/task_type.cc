#include "core/task_type.h"

#include <algorithm>
#include <array>

namespace plumb {
namespace {

constexpr int kMaxDepth = 8;
constexpr int kMaxParts = 64;
constexpr std::size_t kAnyNumber = 0;

struct Constructor {
  std::string_view name;
  std::size_t parts;
};
constexpr std::array<Constructor, 5> kConstructors = {
    {{"list", 1}, {"set", 1}, {"optional", 1}, {"dict", 2}, {"tuple", kAnyNumber}}};
constexpr std::array<std::string_view, 9> kPlain = {"int", "float", "bool", "str", "bytes", "none", "any", "auto", "?"};

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  std::optional<TaskType> whole() {
    TaskType type;
    if (!parse(type, 0)) {
      return std::nullopt;
    }
    skip_blanks();
    return text_.empty() ? std::optional(std::move(type)) : std::nullopt;
  }

 private:
  bool parse(TaskType& type, int depth) {
    if (depth > kMaxDepth || ++parts_ > kMaxParts) {
      return false;
    }
    skip_blanks();
    const std::size_t end = std::min(text_.find_first_of("[], "), text_.size());
    type.name = text_.substr(0, end);
    text_.remove_prefix(end);
    const auto made = std::find_if(kConstructors.begin(), kConstructors.end(),
                                   [&](const auto& one) { return one.name == type.name; });
    if (made == kConstructors.end()) {
      return std::find(kPlain.begin(), kPlain.end(), type.name) != kPlain.end();
    }
    if (!take('[')) {
      return false;
    }
    do {
      if (!parse(type.parts.emplace_back(), depth + 1)) {
        return false;
      }
    } while (take(','));
    return take(']') && (made->parts == kAnyNumber || type.parts.size() == made->parts);
  }

  void skip_blanks() { text_.remove_prefix(std::min(text_.find_first_not_of(' '), text_.size())); }

  bool take(char c) {
    skip_blanks();
    const bool here = text_.starts_with(c);
    text_.remove_prefix(here ? 1 : 0);
    return here;
  }

  std::string_view text_;
  int parts_ = 0;
};

}  // namespace

std::optional<TaskType> parse_task_type(std::string_view text) {
  return Parser(text).whole();
}

std::string to_string(const TaskType& type) {
  std::string text = type.name;
  for (std::size_t i = 0; i < type.parts.size(); ++i) {
    text += (i == 0 ? "[" : ", ") + to_string(type.parts[i]);
  }
  return type.parts.empty() ? text : text + "]";
}

bool mentions(const TaskType& type, std::string_view name) {
  return type.name == name ||
         std::any_of(type.parts.begin(), type.parts.end(), [&](const TaskType& part) { return mentions(part, name); });
}

}  // namespace plumb
