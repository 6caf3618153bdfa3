#include "policy/row_plan.h"

#include <algorithm>

#include "core/check.h"

namespace plumb {

std::int64_t BatchPages::row_at(std::size_t segment, std::int64_t position) const {
  while (position < segments_[segment].start_position) {
    segment = static_cast<std::size_t>(segments_[segment].parent);
  }
  return segments_[segment].first_row + position - segments_[segment].start_position;
}

void BatchPages::add_segment(std::size_t index) {
  const Segment& segment = segments_[index];
  std::vector<std::int64_t> table;
  if (segment.parent < 0) {
    PLUMB_CHECK(segment.start_position == 0, "PackedBatch: a segment without parent starts at position 0");
    tree_of_.push_back(trees_.size());
    trees_.emplace_back();
  } else {
    const auto parent = static_cast<std::size_t>(segment.parent);
    PLUMB_CHECK(parent < index, "PackedBatch: a parent stands before its children");
    PLUMB_CHECK(segment.start_position == segments_[parent].start_position + segments_[parent].num_tokens,
                "PackedBatch: a segment starts where its parent ends");
    tree_of_.push_back(tree_of_[parent]);
    table.assign(tables_[parent].begin(), tables_[parent].begin() + segment.start_position / kPagePositions);
  }
  trees_[tree_of_[index]].push_back(index);
  const std::int64_t end = segment.start_position + segment.num_tokens;
  for (std::int64_t first = segment.start_position / kPagePositions * kPagePositions; first < end;
       first += kPagePositions) {
    BatchPage page;
    page.first_position = first;
    for (std::int64_t slot = 0; slot < kPagePositions; ++slot) {
      page.rows[static_cast<std::size_t>(slot)] = first + slot < end ? row_at(index, first + slot) : -1;
    }
    table.push_back(static_cast<std::int64_t>(pages_.size()));
    pages_.push_back(page);
  }
  tables_.push_back(std::move(table));
}

void BatchPages::build(const PackedBatch& batch, const AttentionShape& shape, std::int64_t layers_kept, RowPlan& plan) {
  segments_ = batch.segments;
  tables_.clear();
  pages_.clear();
  trees_.clear();
  tree_of_.clear();
  std::int64_t next_row = 0;
  for (std::size_t index = 0; index < segments_.size(); ++index) {
    PLUMB_CHECK(segments_[index].first_row == next_row && segments_[index].num_tokens > 0,
                "PackedBatch: segments tile the rows in order");
    next_row += segments_[index].num_tokens;
    add_segment(index);
  }
  PLUMB_CHECK(next_row == batch.num_tokens(), "PackedBatch: segments cover all rows");
  page_floats_ = layers_kept * shape.layer_floats();
  memory_.resize(static_cast<std::int64_t>(pages_.size()) * page_floats_);
  memory_.fill_zero();

  plan.token_ids = batch.token_ids;
  plan.layers_kept = layers_kept;
  plan.positions.clear();
  plan.pages.clear();
  pointers_.assign(segments_.size(), {});
  for (std::size_t index = 0; index < segments_.size(); ++index) {
    for (const std::int64_t page : tables_[index]) {
      pointers_[index].push_back(page_data(page));
    }
    for (std::int64_t t = 0; t < segments_[index].num_tokens; ++t) {
      plan.positions.push_back(segments_[index].start_position + t);
      plan.pages.push_back(pointers_[index].data());
    }
  }
  // Slots by row: count, then place.
  plan.slot_begin.assign(static_cast<std::size_t>(next_row) + 1, 0);
  for (const BatchPage& page : pages_) {
    for (const std::int64_t row : page.rows) {
      if (row >= 0) {
        ++plan.slot_begin[static_cast<std::size_t>(row) + 1];
      }
    }
  }
  for (std::size_t row = 0; row < static_cast<std::size_t>(next_row); ++row) {
    plan.slot_begin[row + 1] += plan.slot_begin[row];
  }
  plan.slots.resize(static_cast<std::size_t>(plan.slot_begin.back()));
  std::vector<std::int64_t> at(plan.slot_begin.begin(), plan.slot_begin.end() - 1);
  for (std::size_t page = 0; page < pages_.size(); ++page) {
    for (std::size_t slot = 0; slot < pages_[page].rows.size(); ++slot) {
      const std::int64_t row = pages_[page].rows[slot];
      if (row >= 0) {
        auto& place = at[static_cast<std::size_t>(row)];
        plan.slots[static_cast<std::size_t>(place++)] = {
            memory_.data() + static_cast<std::int64_t>(page) * page_floats_, static_cast<std::int64_t>(slot)};
      }
    }
  }
}

}  // namespace plumb
