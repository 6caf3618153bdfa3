#include "learner/batching.h"

#include <gtest/gtest.h>

namespace plumb {
namespace {

TEST(AppendSequences, TargetsAreEveryCompletionToken) {
  const std::vector<std::int32_t> prompt = {10, 11, 12};
  const std::vector<std::int32_t> a = {20, 21, 2};
  const std::vector<std::int32_t> b = {30};
  PackedBatch batch;
  ScoreTargets targets;
  const SharedPromptSequences sequences{prompt, {a, b}};
  append_sequences(sequences, batch, targets);
  append_sequences(sequences, batch, targets);
  EXPECT_EQ(batch.token_ids, (std::vector<std::int32_t>{10, 11, 12, 20, 21, 10, 11, 12, 20, 21}));
  EXPECT_EQ(batch.num_tokens(), 2 * num_rows(sequences));
  ASSERT_EQ(batch.segments.size(), 4U);
  EXPECT_EQ(batch.segments[1].parent, 0);
  EXPECT_EQ(batch.segments[1].start_position, 3);
  EXPECT_EQ(batch.segments[1].first_row, 3);
  EXPECT_EQ(batch.segments[3].parent, 2);
  EXPECT_EQ(targets.rows, (std::vector<std::int64_t>{2, 3, 4, 2, 7, 8, 9, 7}));
  EXPECT_EQ(targets.target_ids, (std::vector<std::int32_t>{20, 21, 2, 30, 20, 21, 2, 30}));
}

}  // namespace
}  // namespace plumb
