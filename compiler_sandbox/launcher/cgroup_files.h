#pragma once
// The small files that control groups are spoken to through, and where they are.

#include <cstdint>
#include <string>

namespace plumb {

/// The whole of `file` in the open folder; empty where it cannot be read.
std::string read_at(int folder, const char* file);

/// False, with errno set, where the kernel refused the text.
bool write_at(int folder, const char* file, const std::string& text);

/// The number at the front of `text`; 0 where there is none.
std::int64_t number(const std::string& text);

/// The number after `key` in a text of "key value" lines; 0 where absent.
std::int64_t keyed_number(const std::string& text, const std::string& key);

/// A group of the caller and where its hierarchy is mounted, as paths; both empty where it is not.
struct OwnGroup {
  std::string mount;
  std::string path;
};

/// The caller's own group of a v1 controller, or of v2 where `controller` is empty.
OwnGroup own_group(const std::string& controller);

}  // namespace plumb
