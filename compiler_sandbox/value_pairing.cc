#include "compiler_sandbox/value_pairing.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

namespace plumb {

namespace {

constexpr std::size_t kNone = SIZE_MAX;

// The expected elements in the order of their fingerprints.
class Expected {
 public:
  explicit Expected(const std::vector<Fingerprint>& elements) : elements_(elements), order_(elements.size()) {
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    std::sort(order_.begin(), order_.end(), [&](std::size_t a, std::size_t b) {
      return std::tie(elements[a].shape, elements[a].sum) < std::tie(elements[b].shape, elements[b].sum);
    });
  }

  // Calls `with` with each that `given` may be equal to, until that returns false; whether it never did.
  template <typename With>
  bool each_near(const Fingerprint& given, Budget& budget, With with) const {
    const double lowest = given.sum - 2 * given.slack;
    const auto first = std::partition_point(order_.begin(), order_.end(), [&](std::size_t at) {
      return std::tie(elements_[at].shape, elements_[at].sum) < std::tie(given.shape, lowest);
    });
    for (auto next = first; next != order_.end(); ++next) {
      const Fingerprint& one = elements_[*next];
      if (one.shape != given.shape || one.sum > given.sum + 2 * given.slack) {
        return true;
      }
      // A given element of huge floats that cancel each other out has a huge slack, an expected one near it has not.
      const bool near = std::fabs(one.sum - given.sum) <= 2 * one.slack;
      if (!budget.spend(1) || (near && !with(*next))) {
        return false;
      }
    }
    return true;
  }

 private:
  const std::vector<Fingerprint>& elements_;
  std::vector<std::size_t> order_;
};

// Gives the element `who` a place, if need be by moving others to another of theirs (an augmenting path, breadth
// first).
class Places {
 public:
  explicit Places(std::size_t count)
      : owner_(count, kNone), place_of_(count, kNone), reached_from_(count, kNone), reached_for_(count, kNone) {}

  bool give(std::size_t who, const std::vector<std::vector<std::size_t>>& close_to, Budget& budget) {
    std::vector<std::size_t> queue{who};
    for (std::size_t next = 0; next < queue.size(); ++next) {
      const std::size_t asking = queue[next];
      for (const std::size_t at : close_to[asking]) {
        if (!budget.spend(1)) {
          return false;
        }
        if (reached_for_[at] == who) {
          continue;
        }
        reached_for_[at] = who;
        reached_from_[at] = asking;
        if (owner_[at] == kNone) {
          move_along(at, who);
          return true;
        }
        queue.push_back(owner_[at]);
      }
    }
    return false;
  }

 private:
  // From the free place back to `who`: each takes the place that it reached, and leaves its own to the one before.
  void move_along(std::size_t free, std::size_t who) {
    std::size_t at = free;
    for (std::size_t mover = kNone; mover != who;) {
      mover = reached_from_[at];
      owner_[at] = mover;
      std::swap(at, place_of_[mover]);
    }
  }

  std::vector<std::size_t> owner_;         // of each place
  std::vector<std::size_t> place_of_;      // each element
  std::vector<std::size_t> reached_from_;  // each place, by which element
  std::vector<std::size_t> reached_for_;   // each place, last
};

}  // namespace

bool can_pair_off(const std::vector<Fingerprint>& given, const std::vector<Fingerprint>& expected,
                  const std::function<bool(std::size_t, std::size_t)>& equal, Budget& budget) {
  const Expected all(expected);
  std::vector<std::vector<std::size_t>> close_to(given.size());
  for (std::size_t i = 0; i < given.size(); ++i) {
    const bool whole = all.each_near(given[i], budget, [&](std::size_t at) {
      if (equal(i, at)) {
        close_to[i].push_back(at);
      }
      return true;
    });
    if (!whole || close_to[i].empty()) {
      return false;
    }
  }
  Places places(expected.size());
  for (std::size_t i = 0; i < given.size(); ++i) {
    if (!places.give(i, close_to, budget)) {
      return false;
    }
  }
  return true;
}

}  // namespace plumb
