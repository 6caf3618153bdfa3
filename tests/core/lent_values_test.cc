// What is lent to a writer is read as it was, whenever its owner takes it back.

#include "core/lent_values.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <limits>
#include <thread>

namespace plumb {
namespace {

using namespace std::chrono_literals;

class LentValuesTest : public testing::Test {
 protected:
  void lend(LentValues& lent) {
    for (const std::vector<float>& values : arrays_) {
      lent.add(values);
    }
  }
  // The owner's next update.
  void change() {
    for (std::vector<float>& values : arrays_) {
      std::ranges::fill(values, -1.0F);
    }
  }
  std::vector<float> read(LentValues& lent, std::size_t i) {
    const auto values = lent.begin(arrays_[i]);
    std::vector<float> found(values.begin(), values.end());
    lent.end(arrays_[i]);
    return found;
  }

  ThreadPool pool_{2};
  std::vector<std::vector<float>> arrays_ = {{1, 2}, {}, {3}, {4, 5, 6}};
  const std::vector<std::vector<float>> given_ = arrays_;
};

TEST_F(LentValuesTest, AreReadInPlaceUntilTheyAreTakenBack) {
  LentValues lent(pool_, 0);
  lend(lent);
  const auto first = lent.begin(arrays_[0]);
  EXPECT_EQ(first.data(), arrays_[0].data());
  lent.end(arrays_[0]);
  lent.detach();
  change();
  for (std::size_t i = 1; i < arrays_.size(); ++i) {
    EXPECT_EQ(read(lent, i), given_[i]) << i;
  }
  lent.detach();  // there is nothing left to wait for
}

TEST_F(LentValuesTest, TheOwnerWaitsForWhatIsBeingRead) {
  LentValues lent(pool_, 0);
  lend(lent);
  const auto values = lent.begin(arrays_[0]);
  std::atomic<bool> back = false;
  std::thread owner([&] {
    lent.detach();
    back = true;
    change();
  });
  std::this_thread::sleep_for(50ms);
  EXPECT_FALSE(back);
  EXPECT_EQ(std::vector<float>(values.begin(), values.end()), given_[0]);
  lent.end(arrays_[0]);
  owner.join();
  EXPECT_EQ(read(lent, 3), given_[3]);
}

TEST_F(LentValuesTest, WithoutMemoryForACopyTheOwnerWaitsForTheWriter) {
  LentValues lent(pool_, std::numeric_limits<std::uint64_t>::max() / 2);
  lend(lent);
  std::atomic<int> written = 0;
  std::thread writer([&] {
    for (std::size_t i = 0; i < arrays_.size(); ++i) {
      std::this_thread::sleep_for(10ms);
      EXPECT_EQ(read(lent, i), given_[i]) << i;
      ++written;
    }
  });
  lent.detach();
  EXPECT_GE(written, 3);  // the last may be between its end and the count
  change();
  writer.join();
}

TEST_F(LentValuesTest, AWriterThatFailedHoldsNothing) {
  LentValues lent(pool_, std::numeric_limits<std::uint64_t>::max() / 2);
  lend(lent);
  static_cast<void>(lent.begin(arrays_[2]));
  std::thread writer([&] {
    std::this_thread::sleep_for(20ms);
    lent.finish();
  });
  lent.detach();
  writer.join();
}

}  // namespace
}  // namespace plumb
