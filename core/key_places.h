#pragma once
// Where in a file the entry of a key begins, in 20 to 30 bytes a key whatever its length: a run of days has millions.

#include <cstdint>
#include <string_view>
#include <vector>

namespace plumb {

/// A flat table of hashes. Keys of equal hash are not told apart: whoever asks reads the entry and looks.
class KeyPlaces {
 public:
  void add(std::string_view key, std::uint64_t place);
  /// The places under the hash of `key`, the last added first; hardly ever more than one.
  [[nodiscard]] std::vector<std::uint64_t> find(std::string_view key) const;
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  struct Slot {
    std::uint64_t hash = 0;
    std::uint64_t place_and_one = 0;  // 0: the slot is free
  };
  void put(const Slot& entry);

  std::vector<Slot> slots_;
  std::size_t size_ = 0;
};

}  // namespace plumb
