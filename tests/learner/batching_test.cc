#include "learner/batching.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace plumb {
namespace {

using Ids = std::vector<std::int32_t>;

TEST(AppendSequences, TargetsAreEveryCompletionToken) {
  const Ids prompt = {10, 11, 12};
  const Ids a = {20, 21, 2};
  const Ids b = {30};
  PackedSequences packed;
  const SharedPromptSequences sequences{prompt, {a, b}};
  append_sequences(sequences, packed);
  append_sequences(sequences, packed);
  const PackedBatch& batch = packed.batch;
  EXPECT_EQ(batch.token_ids, (Ids{10, 11, 12, 20, 21, 10, 11, 12, 20, 21}));
  EXPECT_EQ(batch.num_tokens(), 2 * num_rows(sequences));
  ASSERT_EQ(batch.segments.size(), 4U);
  EXPECT_EQ(batch.segments[1].parent, 0);
  EXPECT_EQ(batch.segments[1].start_position, 3);
  EXPECT_EQ(batch.segments[1].first_row, 3);
  EXPECT_EQ(batch.segments[3].parent, 2);
  // Not on the stack: g++ 12 misaligns lists of 64 bytes where it looks for uses after a return.
  static constexpr std::int64_t kRows[] = {2, 3, 4, 2, 7, 8, 9, 7};
  static constexpr std::int64_t kTargetOf[] = {0, 1, 2, 3, 4, 5, 6, 7};
  EXPECT_TRUE(std::ranges::equal(packed.targets.rows, kRows));
  EXPECT_EQ(packed.targets.target_ids, (Ids{20, 21, 2, 30, 20, 21, 2, 30}));
  EXPECT_TRUE(std::ranges::equal(packed.target_of, kTargetOf));
}

TEST(AppendSequences, ACommonBeginningIsComputedOnce) {
  const Ids prompt = {10, 11};
  const Ids a = {20, 21, 22, 2};
  const Ids b = {20, 21, 23, 24, 2};
  const Ids c = {20, 21};  // cut off where the others go on
  PackedSequences packed;
  append_sequences({prompt, {a, b, a, c}}, packed);
  EXPECT_EQ(packed.batch.token_ids, (Ids{10, 11, 20, 21, 22, 23, 24}));
  ASSERT_EQ(packed.batch.segments.size(), 4U);
  const std::vector<Segment>& segments = packed.batch.segments;
  EXPECT_EQ(segments[1].num_tokens, 2);
  EXPECT_EQ(segments[2].parent, 1);
  EXPECT_EQ(segments[2].start_position, 4);
  EXPECT_EQ(segments[3].parent, 1);
  EXPECT_EQ(segments[3].num_tokens, 2);
  EXPECT_EQ(packed.targets.rows, (std::vector<std::int64_t>{1, 2, 3, 4, 3, 5, 6}));
  EXPECT_EQ(packed.targets.target_ids, (Ids{20, 21, 22, 2, 23, 24, 2}));
  EXPECT_EQ(packed.target_of, (std::vector<std::int64_t>{0, 1, 2, 3, 0, 1, 4, 5, 6, 0, 1, 2, 3, 0, 1}));
  EXPECT_EQ(packed.row_counts, (std::vector<float>{4, 4, 4, 3, 2, 1, 1}));
  const std::vector<float> ones(packed.target_of.size(), 1.0F);
  EXPECT_EQ(packed.sum_by_target(ones), (std::vector<float>{4, 4, 2, 2, 1, 1, 1}));
  EXPECT_EQ(packed.by_token(std::vector<float>{0, 1, 2, 3, 4, 5, 6}),
            (std::vector<float>{0, 1, 2, 3, 0, 1, 4, 5, 6, 0, 1, 2, 3, 0, 1}));
}

TEST(AppendSequences, KeptSetsGoToTheTargets) {
  const Ids prompt = {10};
  const Ids a = {20, 21};
  const Ids b = {20, 22};
  PackedSequences packed;
  append_sequences({prompt, {a, b}}, packed);
  packed.set_kept(std::vector<KeptSet>(4));
  EXPECT_TRUE(packed.targets.kept.empty());
  const KeptSet first{.low = 1.5F};
  const KeptSet second{.low = 2.5F, .low_last_id = 7};
  packed.set_kept(std::vector<KeptSet>{first, second, first, second});
  EXPECT_EQ(packed.targets.kept, (std::vector<KeptSet>{first, second, second}));
}

}  // namespace
}  // namespace plumb
