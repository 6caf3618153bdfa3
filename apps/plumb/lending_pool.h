#pragma once
// Things that one caller uses at a time: kept where they are dear to make, made where none is idle.

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace plumb {

template <typename T>
class LendingPool {
 public:
  using Make = std::function<std::unique_ptr<T>()>;

  /// At most `most` of them exist; they are made when first needed, or all at once by make_all().
  LendingPool(std::size_t most, Make make) : most_(most), make_(std::move(make)) {}

  /// Makes all of them now, `ready` made ready for use. Before the first with().
  template <typename Ready>
  void make_all(Ready ready) {
    for (; made_ < most_; ++made_) {
      idle_.push_back(make_());
      ready(*idle_.back());
    }
  }

  /// Calls `use` with one that nobody else has meanwhile; waits where all are lent.
  template <typename Use>
  auto with(Use use) {
    std::unique_ptr<T> thing = take();
    struct GiveBack {
      LendingPool& pool;
      std::unique_ptr<T>& thing;
      ~GiveBack() { pool.give(std::move(thing)); }
    } const give_back{*this, thing};
    return use(*thing);
  }

 private:
  std::unique_ptr<T> take() {
    std::unique_lock lock(mutex_);
    returned_.wait(lock, [this] { return !idle_.empty() || made_ < most_; });
    if (idle_.empty()) {
      ++made_;
      return make_();
    }
    std::unique_ptr<T> thing = std::move(idle_.back());
    idle_.pop_back();
    return thing;
  }
  void give(std::unique_ptr<T> thing) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(thing));
    returned_.notify_one();
  }

  std::size_t most_;
  Make make_;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<T>> idle_;
  std::size_t made_ = 0;
};

}  // namespace plumb
