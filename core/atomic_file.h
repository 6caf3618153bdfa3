#pragma once
// Files that are either whole or absent. Bytes are written aside, fsynced and renamed, so that a reader, a crash or a
// full disk never meets half a file under its final name, and the previous one stays until the new one is complete.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "core/result.h"

namespace plumb {

/// A file being written aside as "<path>.partial". Dropping it without commit() removes that and leaves `path` as it
/// was. Movable; one thread at a time; one writer per path.
class AtomicFile {
 public:
  /// Errors: a folder that is absent or cannot be written.
  static Result<AtomicFile> create(const std::string& path);
  ~AtomicFile();
  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&& other) noexcept;

  /// Errors: a full disk among them; they are final, and commit() must not follow.
  Result<void> write(std::string_view bytes);
  Result<void> write(std::span<const std::byte> bytes);
  /// fsync, rename over `path`, fsync of the folder. Called once.
  Result<void> commit();

 private:
  AtomicFile(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}
  void discard();

  std::string path_;
  int descriptor_ = -1;
};

/// `contents` as the whole of `path`.
Result<void> write_file_atomic(const std::string& path, std::string_view contents);

/// The whole file. Errors: cannot be read, or holds more than `max_bytes`.
Result<std::string> read_file(const std::string& path, std::uint64_t max_bytes = std::uint64_t{1} << 32);

/// Creates `path` and the folders above it where they are absent, and proves by a file that is written and removed that
/// it can be written. Errors: it cannot, with the reason.
Result<void> ensure_writable_folder(const std::string& path);

/// Moves the folder `aside`, written by the caller, to `final_path`: fsyncs every file and folder in it, then renames;
/// a folder that stood at `final_path` is swapped out in the same instant and removed after. `aside` must be on the
/// same file system.
Result<void> commit_folder(const std::string& aside, const std::string& final_path);

/// Lines at the end of a file (metrics, journals). Each line is handed to the kernel before append() returns.
class AppendFile {
 public:
  /// Opens or creates `path`. `keep_bytes` cuts it to that length first (a resumed run drops what came after its
  /// checkpoint); the default keeps all.
  static Result<AppendFile> open(const std::string& path, std::uint64_t keep_bytes = UINT64_MAX);
  ~AppendFile();
  AppendFile(AppendFile&& other) noexcept;
  AppendFile& operator=(AppendFile&& other) noexcept;

  /// Appends `line` and a line feed.
  Result<void> append(std::string_view line);
  /// Flushes to the disk.
  Result<void> sync();
  [[nodiscard]] std::uint64_t size_bytes() const { return size_bytes_; }

 private:
  AppendFile(std::string path, int descriptor, std::uint64_t size_bytes)
      : path_(std::move(path)), descriptor_(descriptor), size_bytes_(size_bytes) {}

  std::string path_;
  int descriptor_ = -1;
  std::uint64_t size_bytes_ = 0;
};

}  // namespace plumb
