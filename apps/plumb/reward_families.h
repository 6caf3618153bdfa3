#pragma once
// Which rows of a reward model's training are held out: whole families, so that what is measured was not learned on
// something alike.

#include <map>
#include <set>
#include <string>

namespace plumb {

/// The families of prompts: those that rows name, and for prompts of which no row names one the id without its last
/// part, a language. Ids of others may end in a number: where this leaves one family of all of them, each prompt is its
/// own.
class RewardFamilies {
 public:
  /// Takes note of a row; `family` is empty where it names none.
  void add(const std::string& prompt_id, const std::string& family);

  /// After all rows of the training were added; of prompts of other rows (rm.eval_pairs) by the same rule, so that what
  /// was trained on is not held out there.
  [[nodiscard]] std::string of(const std::string& prompt_id) const;

 private:
  std::map<std::string, std::string> named_;
  std::set<std::string> unnamed_;    // prompts whose ids end in no language,
  std::set<std::string> shortened_;  // and these ids without their last parts
};

/// Whether the rows of a family are held out: a function of its name alone, true for about `share` of all names.
bool is_held_out(const std::string& family, double share);

}  // namespace plumb
