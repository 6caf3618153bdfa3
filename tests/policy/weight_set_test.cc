// Weight sets: what arrives is what was sent, or is refused with one sentence and leaves the policy as it was.

#include "policy/weight_set.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>

#include "tests/support/random_model.h"

namespace plumb {
namespace {

class WeightSets : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(::testing::TempDir()) /
              ("weight_set_" + std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<Policy> make_policy(std::uint64_t seed, bool tied = true) {
    const ModelConfig config = testing::small_config(tied);
    auto policy = Policy::create(config, testing::random_weights(config, seed),
                                 {.dtype = ComputeDtype::kF32, .pool = &pool_, .trainable = false});
    EXPECT_TRUE(policy.ok());
    return std::move(policy).value();
  }

  // Of version 3.
  WeightSet sent(bool tied = true) {
    const auto learner = make_policy(1, tied);
    learner->commit_update();
    learner->commit_update();
    learner->commit_update();
    return take_weight_set(*learner);
  }

  static std::vector<float> log_probs(Policy& policy) {
    PackedBatch batch;
    batch.token_ids = testing::random_tokens(policy.config(), 12, 5);
    batch.segments.push_back({.first_row = 0, .num_tokens = 12, .start_position = 0, .parent = -1});
    return policy.score(batch, {.rows = {3, 11}, .target_ids = {7, 9}, .kept = {}}).log_probs;
  }

  void expect_refused(const WeightSet& set, const std::string& why) {
    const auto actor = make_policy(2);
    const std::vector<float> before = log_probs(*actor);
    const auto result = load_weight_set(*actor, set);
    ASSERT_FALSE(result.ok());
    EXPECT_NE(result.error().message.find(why), std::string::npos) << result.error().message;
    EXPECT_EQ(actor->version(), 0);
    EXPECT_EQ(log_probs(*actor), before);
  }

  [[nodiscard]] std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string bytes_of(const std::string& name) const {
    std::ifstream file(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void write(const std::string& name, const std::string& bytes) const {
    std::ofstream(path(name), std::ios::binary) << bytes;
  }
  void expect_unreadable(const std::string& bytes, const std::string& why) {
    write("bad", bytes);
    const auto read = read_weight_set(path("bad"));
    ASSERT_FALSE(read.ok()) << why;
    EXPECT_NE(read.error().message.find(why), std::string::npos) << read.error().message;
    EXPECT_NE(read.error().message.find(path("bad")), std::string::npos) << read.error().message;
  }

  ThreadPool pool_{2};
  std::filesystem::path folder_;
};

TEST_F(WeightSets, GiveTheReceiverTheSendersBitsAndVersion) {
  const WeightSet set = sent();
  const auto learner = make_policy(1);
  const auto actor = make_policy(2);
  ASSERT_NE(log_probs(*actor), log_probs(*learner));
  const auto cache = actor->make_cache(1 << 20);
  ASSERT_TRUE(load_weight_set(*actor, set).ok());
  EXPECT_EQ(actor->version(), 3);
  EXPECT_EQ(log_probs(*actor), log_probs(*learner));
}

TEST_F(WeightSets, SurviveAFile) {
  const WeightSet set = sent();
  ASSERT_TRUE(write_weight_set(path("set"), set).ok());
  const auto read = read_weight_set(path("set"));
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->version, 3);
  EXPECT_EQ(read->checksum, set.checksum);
  const auto actor = make_policy(2);
  ASSERT_TRUE(load_weight_set(*actor, *read).ok());
  EXPECT_EQ(log_probs(*actor), log_probs(*make_policy(1)));
}

TEST_F(WeightSets, WithAnOldVersionAreRefused) {
  WeightSet set = sent();
  const auto actor = make_policy(2);
  ASSERT_TRUE(load_weight_set(*actor, set).ok());
  const auto again = load_weight_set(*actor, set);
  ASSERT_FALSE(again.ok());
  EXPECT_NE(again.error().message.find("version 3, but the policy is at version 3"), std::string::npos);
}

TEST_F(WeightSets, ThatChangedOnTheWayAreRefused) {
  WeightSet value = sent();
  value.tensors[4].values[1] += 1e-3F;
  expect_refused(value, "checksum");
  WeightSet version = sent();
  version.version = 4;
  expect_refused(version, "checksum");
  WeightSet name = sent();
  std::swap(name.tensors[2].name, name.tensors[3].name);
  expect_refused(name, "checksum");
}

TEST_F(WeightSets, OfAnotherModelOrDivergedAreRefused) {
  expect_refused(sent(false), "of another model");
  WeightSet shape = sent();
  std::swap(shape.tensors[0].shape[0], shape.tensors[0].shape[1]);
  shape.checksum = weight_set_checksum(shape);
  expect_refused(shape, "of another model");
  WeightSet diverged = sent();
  diverged.tensors[2].values[3] = std::numeric_limits<float>::quiet_NaN();
  diverged.checksum = weight_set_checksum(diverged);
  expect_refused(diverged, "not finite at index 3");
}

TEST_F(WeightSets, FilesThatAreDamagedAreRefused) {
  ASSERT_TRUE(write_weight_set(path("set"), sent()).ok());
  const std::string good = bytes_of("set");
  expect_unreadable("", "does not begin with PLUMBWS1");
  expect_unreadable("not weights at all", "does not begin with PLUMBWS1");
  expect_unreadable(good.substr(0, 40), "header is longer than the file");
  expect_unreadable(good.substr(0, good.size() - 4), "cut short");
  expect_unreadable(good + "more", "4 bytes behind its last tensor");
  std::string flipped = good;
  flipped[good.size() - 2] = static_cast<char>(flipped[good.size() - 2] ^ 1);
  expect_unreadable(flipped, "checksum");
  std::string header = good;
  header[17] = '?';
  expect_unreadable(header, "header is damaged");
  std::string longer = good;
  longer[15] = '\x7f';  // the header's length
  expect_unreadable(longer, "header is longer than the file");
}

}  // namespace
}  // namespace plumb
