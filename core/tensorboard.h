#pragma once
// TensorBoard event files: TFRecord frames (length, masked CRC-32C, payload, masked CRC-32C) around Event messages.
// Three fixed messages with scalar fields are all that is written, so they are encoded by hand: that saves generated
// code and the Protocol Buffers dependency for some forty lines (tests/e2e/tensorboard_test.py reads them back with
// TensorBoard's own loader).

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "core/metrics_log.h"
#include "core/result.h"

namespace plumb {

/// CRC-32C (Castagnoli) of `bytes`; crc32c("123456789") is 0xE3069283.
std::uint32_t crc32c(std::string_view bytes);

/// One event file, flushed after each step, so that a running TensorBoard sees it.
class TensorBoardWriter {
 public:
  /// Makes `dir` and in it a fresh events.out.tfevents.* file. A resumed run passes the first step it will write as
  /// `resume_step`: TensorBoard then forgets what an earlier file says about that step and later ones.
  /// Errors: the folder or the file cannot be made.
  static Result<TensorBoardWriter> open(const std::filesystem::path& dir, std::int64_t resume_step = -1);

  /// Writes each value as a scalar at `step`; the tags are the names. NaN and infinities are written as they are.
  /// Errors: the disk is full or gone.
  Result<void> append(std::int64_t step, const MetricMap& values);

 private:
  struct Closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  TensorBoardWriter() = default;
  Result<void> write_event(std::string_view event);

  std::filesystem::path path_;
  std::unique_ptr<std::FILE, Closer> file_;
};

}  // namespace plumb
