#include "core/tensorboard.h"

#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <system_error>

namespace plumb {

namespace {

constexpr std::array<std::uint32_t, 256> make_crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc >> 1) ^ ((crc & 1U) != 0 ? 0x82F63B78U : 0U);
    }
    table.at(byte) = crc;
  }
  return table;
}

constexpr auto kCrcTable = make_crc_table();

// TFRecord stores rotated, offset checksums, since the CRC of data that holds its own CRC is degenerate.
std::uint32_t masked_crc(std::string_view bytes) {
  return std::rotr(crc32c(bytes), 15) + 0xA282EAD8U;
}

template <typename Integer>
void append_little_endian(std::string& out, Integer value) {
  for (std::size_t i = 0; i < sizeof(value); ++i) {
    out.push_back(static_cast<char>((value >> (8 * i)) & 0xFFU));
  }
}

// The protobuf wire format: a field is its key (number and wire type) and its payload.
enum class Wire : std::uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

void append_varint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>((value & 0x7FU) | 0x80U));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

void append_key(std::string& out, std::uint32_t field, Wire wire) {
  append_varint(out, (field << 3) | static_cast<std::uint32_t>(wire));
}

void append_bytes(std::string& out, std::uint32_t field, std::string_view bytes) {
  append_key(out, field, Wire::kBytes);
  append_varint(out, bytes.size());
  out += bytes;
}

double now_s() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// Event { double wall_time = 1; int64 step = 2; string file_version = 3; Summary summary = 5; SessionLog log = 7; }
std::string event_header(std::int64_t step) {
  std::string event;
  append_key(event, 1, Wire::kFixed64);
  append_little_endian(event, std::bit_cast<std::uint64_t>(now_s()));
  append_key(event, 2, Wire::kVarint);
  append_varint(event, static_cast<std::uint64_t>(step));
  return event;
}

// Summary { repeated Value value = 1; }, Value { string tag = 1; float simple_value = 2; }
std::string encode_summary(const MetricMap& values) {
  std::string summary;
  for (const auto& [name, number] : values) {
    std::string value;
    append_bytes(value, 1, name);
    append_key(value, 2, Wire::kFixed32);
    append_little_endian(value, std::bit_cast<std::uint32_t>(static_cast<float>(number)));
    append_bytes(summary, 1, value);
  }
  return summary;
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  std::uint32_t crc = 0xFFFFFFFFU;
  for (const char c : bytes) {
    crc = (crc >> 8) ^ kCrcTable.at((crc ^ static_cast<unsigned char>(c)) & 0xFFU);
  }
  return ~crc;
}

Result<TensorBoardWriter> TensorBoardWriter::open(const std::filesystem::path& dir, std::int64_t resume_step) {
  std::error_code error;
  std::filesystem::create_directories(dir, error);
  if (error) {
    return Error{dir.string() + ": cannot make this folder for TensorBoard events: " + error.message()};
  }
  TensorBoardWriter writer;
  // TensorBoard reads the files of a folder in name order: seconds first, the process id keeps two runs apart.
  const auto seconds = static_cast<long long>(now_s());
  std::array<char, 64> name{};
  std::snprintf(name.data(), name.size(), "events.out.tfevents.%010lld.plumb.%d", seconds, ::getpid());
  for (int suffix = 0;; ++suffix) {
    writer.path_ = dir / (std::string(name.data()) + "." + std::to_string(suffix));
    writer.file_.reset(std::fopen(writer.path_.c_str(), "wbx"));
    if (writer.file_ != nullptr) {
      break;
    }
    if (errno != EEXIST) {
      return Error{writer.path_.string() + ": cannot be made: " + std::strerror(errno)};
    }
  }
  std::string version = event_header(0);
  append_bytes(version, 3, "brain.Event:2");
  PLUMB_TRY(writer.write_event(version));
  if (resume_step >= 0) {
    std::string session_start;  // SessionLog { Status status = 1; } with START = 1
    append_key(session_start, 1, Wire::kVarint);
    append_varint(session_start, 1);
    std::string event = event_header(resume_step);
    append_bytes(event, 7, session_start);
    PLUMB_TRY(writer.write_event(event));
  }
  return writer;
}

Result<void> TensorBoardWriter::append(std::int64_t step, const MetricMap& values) {
  std::string event = event_header(step);
  append_bytes(event, 5, encode_summary(values));
  return write_event(event);
}

Result<void> TensorBoardWriter::write_event(std::string_view event) {
  std::string length;
  append_little_endian(length, static_cast<std::uint64_t>(event.size()));
  std::string frame = length;
  append_little_endian(frame, masked_crc(length));
  frame += event;
  append_little_endian(frame, masked_crc(event));
  if (std::fwrite(frame.data(), 1, frame.size(), file_.get()) != frame.size() || std::fflush(file_.get()) != 0) {
    return Error{path_.string() + ": cannot be written: " + std::strerror(errno) +
                 "; check the free space and the limit of ulimit -f"};
  }
  return {};
}

}  // namespace plumb
