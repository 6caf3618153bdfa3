#include "policy/paged_cache.h"

#include <algorithm>

#include "core/check.h"

namespace plumb {

PagedCache::PagedCache(const AttentionShape& shape, std::int64_t num_layers, std::int64_t budget_bytes,
                       std::int64_t version)
    : page_floats_(num_layers * shape.layer_floats()), budget_bytes_(budget_bytes), version_(version) {}

const PagedCache::Sequence& PagedCache::find(SequenceId sequence) const {
  const auto found = sequences_.find(sequence);
  PLUMB_CHECK(found != sequences_.end(), "KvCache: unknown sequence");
  return found->second;
}

SequenceId PagedCache::add_sequence() {
  sequences_.emplace(next_id_, Sequence{});
  return next_id_++;
}

SequenceId PagedCache::fork(SequenceId parent_id, std::int64_t num_tokens) {
  const Sequence parent = find(parent_id);
  PLUMB_CHECK(num_tokens >= 0 && num_tokens <= parent.length, "KvCache: a fork longer than its parent");
  Sequence child;
  child.length = num_tokens;
  const std::int64_t full = num_tokens / kPagePositions;
  for (std::size_t i = 0; i < static_cast<std::size_t>(full); ++i) {
    ++pages_[parent.pages[i]].holders;
    child.pages.push_back(parent.pages[i]);
    child.pointers.push_back(parent.pointers[i]);
  }
  if (num_tokens % kPagePositions != 0) {
    const std::size_t page = take_page();
    const float* from = parent.pointers[static_cast<std::size_t>(full)];
    std::copy(from, from + page_floats_, pages_[page].memory.data());
    child.pages.push_back(page);
    child.pointers.push_back(pages_[page].memory.data());
  }
  sequences_.emplace(next_id_, std::move(child));
  return next_id_++;
}

void PagedCache::remove(SequenceId sequence) {
  for (const std::size_t page : find(sequence).pages) {
    if (--pages_[page].holders == 0) {
      free_pages_.push_back(page);
    }
  }
  sequences_.erase(sequence);
}

std::int64_t PagedCache::length(SequenceId sequence) const {
  return find(sequence).length;
}

std::int64_t PagedCache::used_bytes() const {
  return static_cast<std::int64_t>(pages_.size() - free_pages_.size()) * page_floats_ *
         static_cast<std::int64_t>(sizeof(float));
}

std::int64_t PagedCache::free_tokens() const {
  const std::int64_t page_bytes = page_floats_ * static_cast<std::int64_t>(sizeof(float));
  return std::max<std::int64_t>(0, budget_bytes_ - used_bytes()) / page_bytes * kPagePositions;
}

std::size_t PagedCache::take_page() {
  PLUMB_CHECK(free_tokens() > 0, "KvCache: the budget is used up; ask free_tokens() before extending or forking");
  if (free_pages_.empty()) {
    Page page;
    page.memory.resize(page_floats_);
    page.memory.fill_zero();
    pages_.push_back(std::move(page));
    pages_.back().holders = 1;
    return pages_.size() - 1;
  }
  const std::size_t page = free_pages_.back();
  free_pages_.pop_back();
  pages_[page].holders = 1;
  return page;
}

void PagedCache::extend(SequenceId id, std::int64_t count, std::vector<PageSlot>& slots) {
  PLUMB_CHECK(sequences_.contains(id), "KvCache: unknown sequence");
  Sequence& sequence = sequences_[id];
  for (std::int64_t t = 0; t < count; ++t) {
    const std::int64_t slot = sequence.length % kPagePositions;
    if (slot == 0) {
      const std::size_t page = take_page();
      sequence.pages.push_back(page);
      sequence.pointers.push_back(pages_[page].memory.data());
    }
    slots.push_back({pages_[sequence.pages.back()].memory.data(), slot});
    ++sequence.length;
  }
}

const float* const* PagedCache::table(SequenceId sequence) const {
  return find(sequence).pointers.data();
}

}  // namespace plumb
