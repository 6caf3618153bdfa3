#include "core/metrics_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

namespace plumb {

namespace {

constexpr const char* kMetricsFile = "metrics.jsonl";
constexpr const char* kTimingsFile = "timings.jsonl";

Error io_error(const std::filesystem::path& path, const char* what) {
  return Error{path.string() + ": cannot " + what + ": " + std::strerror(errno) +
               "; check the free space, the limit of ulimit -f and the permissions of the run folder"};
}

// Whether a line lies behind the resume point. Lines that are no JSON object count as damage and are cut with the rest.
bool is_behind(const std::string& line, const ResumePoint& resume) {
  const auto object = nlohmann::json::parse(line, nullptr, false);
  if (!object.is_object() || !object.contains("step") || !object["step"].is_number_integer()) {
    return true;
  }
  return object.value("stage", std::string()) == resume.stage && object["step"].get<std::int64_t>() > resume.step;
}

Result<int> open_log(const std::filesystem::path& path, const std::optional<ResumePoint>& resume) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) {
    return io_error(path, "be opened for writing");
  }
  auto kept = bytes_to_keep(path, resume);
  if (!kept || ::ftruncate(fd, static_cast<off_t>(*kept)) != 0) {
    const Error error = kept ? io_error(path, "be shortened") : kept.error();
    ::close(fd);
    return error;
  }
  return fd;
}

Result<void> write_line(int fd, const std::filesystem::path& path, const std::string& line) {
  std::size_t written = 0;
  while (written < line.size()) {
    const ssize_t n = ::write(fd, line.data() + written, line.size() - written);
    if (n < 0 && errno != EINTR) {
      return io_error(path, "be written");
    }
    written += n > 0 ? static_cast<std::size_t>(n) : 0;
  }
  return {};
}

}  // namespace

Result<std::uint64_t> bytes_to_keep(const std::filesystem::path& path, const std::optional<ResumePoint>& resume) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return io_error(path, "be read");
  }
  std::uint64_t kept = 0;
  std::string line;
  while (std::getline(file, line)) {
    const bool torn = file.eof();
    if (torn || (resume && is_behind(line, *resume))) {
      break;
    }
    kept += line.size() + 1;
  }
  return kept;
}

std::string metrics_line(std::string_view stage, std::int64_t step, const MetricMap& values) {
  const auto quoted = [](std::string_view text) {
    return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  };
  std::string line = "{\"stage\":" + quoted(stage) + ",\"step\":" + std::to_string(step);
  for (const auto& [name, value] : values) {
    line.append(",").append(quoted(name)).append(":");
    if (value == 0 && std::signbit(value)) {
      line += "-0.0";  // readers take "-0" for the integer, which has no sign
    } else if (std::isfinite(value)) {
      std::array<char, 32> digits{};
      const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
      line.append(digits.data(), end);
    } else {
      line += "null";
    }
  }
  return line + "}\n";
}

Result<MetricsLog> MetricsLog::open(const std::filesystem::path& run_dir, const std::optional<ResumePoint>& resume) {
  MetricsLog log;
  log.run_dir_ = run_dir;
  PLUMB_ASSIGN(log.metrics_fd_, open_log(run_dir / kMetricsFile, resume));
  PLUMB_ASSIGN(log.timings_fd_, open_log(run_dir / kTimingsFile, resume));
  return log;
}

MetricsLog::MetricsLog(MetricsLog&& other) noexcept
    : run_dir_(std::move(other.run_dir_)),
      metrics_fd_(std::exchange(other.metrics_fd_, -1)),
      timings_fd_(std::exchange(other.timings_fd_, -1)) {}

MetricsLog& MetricsLog::operator=(MetricsLog&& other) noexcept {
  std::swap(run_dir_, other.run_dir_);
  std::swap(metrics_fd_, other.metrics_fd_);
  std::swap(timings_fd_, other.timings_fd_);
  return *this;
}

MetricsLog::~MetricsLog() {
  for (const int fd : {metrics_fd_, timings_fd_}) {
    if (fd >= 0) {
      ::close(fd);
    }
  }
}

Result<void> MetricsLog::append(std::string_view stage, std::int64_t step, const MetricMap& metrics,
                                const MetricMap& timings) {
  if (!metrics.empty()) {
    PLUMB_TRY(write_line(metrics_fd_, run_dir_ / kMetricsFile, metrics_line(stage, step, metrics)));
  }
  if (!timings.empty()) {
    PLUMB_TRY(write_line(timings_fd_, run_dir_ / kTimingsFile, metrics_line(stage, step, timings)));
  }
  return {};
}

Result<void> MetricsLog::sync() {
  if (::fsync(metrics_fd_) != 0) {
    return io_error(run_dir_ / kMetricsFile, "be synced");
  }
  if (::fsync(timings_fd_) != 0) {
    return io_error(run_dir_ / kTimingsFile, "be synced");
  }
  return {};
}

}  // namespace plumb
