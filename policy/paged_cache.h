#pragma once
// KvCache over pages of 32 positions with all layers, counted so that forks share them.

#include <memory>
#include <unordered_map>
#include <vector>

#include "policy/kv_cache.h"
#include "policy/row_plan.h"
#include "tensor/attention.h"

namespace plumb {

class PagedCache final : public KvCache {
 public:
  PagedCache(const AttentionShape& shape, std::int64_t num_layers, std::int64_t budget_bytes, std::int64_t version);

  SequenceId add_sequence() override;
  using KvCache::fork;
  SequenceId fork(SequenceId parent, std::int64_t num_tokens) override;
  void remove(SequenceId sequence) override;
  [[nodiscard]] std::int64_t length(SequenceId sequence) const override;
  [[nodiscard]] std::int64_t used_bytes() const override;
  [[nodiscard]] std::int64_t budget_bytes() const override { return budget_bytes_; }
  [[nodiscard]] std::int64_t page_tokens() const override { return kPagePositions; }
  [[nodiscard]] std::int64_t free_tokens() const override;

  /// Makes room for `count` more tokens of `sequence` and appends their places to `slots`, one each. Aborts when the
  /// budget is exceeded: callers ask free_tokens() first.
  void extend(SequenceId sequence, std::int64_t count, std::vector<PageSlot>& slots);
  /// The table of pages of a sequence; valid until the sequence changes.
  [[nodiscard]] const float* const* table(SequenceId sequence) const;
  /// Of the weights that the cache was made for.
  [[nodiscard]] std::int64_t version() const { return version_; }

 private:
  struct Page {
    AlignedBuffer<float> memory;
    std::int64_t holders = 0;
  };
  struct Sequence {
    std::vector<const float*> pointers;
    std::vector<std::size_t> pages;
    std::int64_t length = 0;
  };

  std::size_t take_page();
  [[nodiscard]] const Sequence& find(SequenceId sequence) const;

  std::int64_t page_floats_;
  std::int64_t budget_bytes_;
  std::int64_t version_;
  std::vector<Page> pages_;
  std::vector<std::size_t> free_pages_;
  std::unordered_map<SequenceId, Sequence> sequences_;
  SequenceId next_id_ = 0;
};

}  // namespace plumb
