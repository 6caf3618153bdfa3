#pragma once
// Where each row of a batch stands: its position, the pages that its keys are in, and the places that its own key and
// value go to. The layers see rows through this plan alone, so a packed batch and a cached sequence are the same to
// them.

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "policy/packed_batch.h"
#include "tensor/attention.h"
#include "tensor/buffer.h"

namespace plumb {

/// A place for one position's key and value.
struct PageSlot {
  float* page = nullptr;  // start of the page, all layers
  std::int64_t slot = 0;
};

struct RowPlan {
  std::span<const std::int32_t> token_ids;  // [T]
  std::vector<std::int64_t> positions;      // [T]
  std::vector<const float* const*> pages;   // [T] each row's table of pages, from position 0 on
  std::vector<PageSlot> slots;              // of row t: slots[slot_begin[t]] to slots[slot_begin[t + 1] - 1]
  std::vector<std::int64_t> slot_begin;     // [T + 1]
  std::int64_t layers_kept = 0;             // layer l lives in the pages at (l mod layers_kept) * layer_floats
  bool absorbed = false;                    // pages hold latents, as absorbed_attention_shape() says

  [[nodiscard]] std::int64_t num_rows() const { return static_cast<std::int64_t>(positions.size()); }
};

/// A page of a packed batch: positions first_position to first_position + 31 of one segment's sequence.
struct BatchPage {
  std::int64_t first_position = 0;
  std::array<std::int64_t, kPagePositions> rows{};  // row of each position, -1 where there is none
};

/// The pages of a packed batch. A segment shares its parent's full pages; its first own page repeats the end of the
/// parent's last partial one, so a page always holds consecutive absolute positions.
class BatchPages {
 public:
  /// Lays the batch out and points `plan` at it; `layers_kept` as in RowPlan. The batch must tile its rows, and this
  /// object must outlive the plan's use.
  void build(const PackedBatch& batch, const AttentionShape& shape, std::int64_t layers_kept, RowPlan& plan);

  [[nodiscard]] const std::vector<Segment>& segments() const { return segments_; }
  /// Indices into pages() of segment `segment`, from position 0 on.
  [[nodiscard]] const std::vector<std::int64_t>& table(std::size_t segment) const { return tables_[segment]; }
  [[nodiscard]] const std::vector<BatchPage>& pages() const { return pages_; }
  [[nodiscard]] const float* page_data(std::int64_t page) const { return memory_.data() + page * page_floats_; }
  /// Segments of each tree (a root and all that descend from it), in batch order.
  [[nodiscard]] const std::vector<std::vector<std::size_t>>& trees() const { return trees_; }
  [[nodiscard]] std::int64_t capacity_bytes() const { return memory_.capacity_bytes(); }

 private:
  void add_segment(std::size_t index);
  [[nodiscard]] std::int64_t row_at(std::size_t segment, std::int64_t position) const;

  std::vector<Segment> segments_;
  std::vector<std::vector<std::int64_t>> tables_;
  std::vector<std::vector<const float*>> pointers_;
  std::vector<BatchPage> pages_;
  std::vector<std::vector<std::size_t>> trees_;
  std::vector<std::size_t> tree_of_;
  AlignedBuffer<float> memory_;
  std::int64_t page_floats_ = 0;
};

}  // namespace plumb
