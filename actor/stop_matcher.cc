#include "actor/stop_matcher.h"

#include <algorithm>

namespace plumb {

StopMatcher::StopMatcher(const std::vector<std::string>& stop) : stop_(&stop) {
  for (const std::string& text : stop) {
    keep_ = std::max(keep_, text.size() - 1);
  }
}

std::optional<std::size_t> StopMatcher::feed(std::string_view piece) {
  if (stop_ == nullptr || stop_->empty()) {
    return std::nullopt;
  }
  tail_ += piece;
  // The one that was complete first, as if the text had come byte by byte: where tokens end must not show.
  constexpr std::size_t kNone = std::string::npos;
  std::size_t end = kNone;
  std::size_t begin = kNone;
  for (const std::string& text : *stop_) {
    const std::size_t at = tail_.find(text);
    if (at != kNone && (at + text.size() < end || (at + text.size() == end && at < begin))) {
      end = at + text.size();
      begin = at;
    }
  }
  if (begin != kNone) {
    return begin_ + begin;
  }
  if (tail_.size() > keep_) {
    begin_ += tail_.size() - keep_;
    tail_.erase(0, tail_.size() - keep_);
  }
  return std::nullopt;
}

}  // namespace plumb
