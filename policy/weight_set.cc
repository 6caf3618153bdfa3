#include "policy/weight_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>

#include "core/atomic_file.h"
#include "core/check.h"
#include "core/hash.h"
#include "formats/mapped_file.h"
#include "policy/model_layout.h"

namespace plumb {
namespace {

static_assert(std::endian::native == std::endian::little, "weight sets are little-endian");

constexpr std::string_view kMagic = "PLUMBWS1";
constexpr std::uint64_t kLongestHeader = std::uint64_t{64} << 20;

std::string checksum_error(const std::string& stated, const std::string& found) {
  return fmt::format(
      "the weights' checksum is {}, but they were sent with {}: they changed on the way; send or copy them again",
      found.substr(0, 16), stated.substr(0, 16));
}

// What is wrong with `tensor` in the place of `view`; empty: nothing.
std::string mismatch(const NamedTensor& tensor, const ParameterView& view) {
  if (tensor.name != view.name || tensor.shape != view.shape || tensor.values.size() != view.value.size()) {
    return fmt::format("the weights hold {} {} where the policy has {} {}: they are of another model", tensor.name,
                       shape_text(tensor.shape), view.name, shape_text(view.shape));
  }
  const auto bad = std::ranges::find_if(tensor.values, [](float value) { return !std::isfinite(value); });
  if (bad != tensor.values.end()) {
    return fmt::format(
        "tensor {} holds a value that is not finite at index {}: the learner has diverged; go back to an "
        "earlier version",
        tensor.name, bad - tensor.values.begin());
  }
  return {};
}

// The number of values of a shape from a file; -1 where it is none, or more than `most`.
std::int64_t count_values(const std::vector<std::int64_t>& shape, std::int64_t most) {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) {
    if (size <= 0 || count > most / size) {
      return -1;
    }
    count *= size;
  }
  return count;
}

// Fills everything but the values. False: the header is none.
bool read_header(const nlohmann::json& json, WeightSet& set) {
  if (!json.is_object() || !json.contains("version") || !json["version"].is_number_integer() ||
      !json.contains("checksum") || !json["checksum"].is_string() || !json.contains("tensors") ||
      !json["tensors"].is_array()) {
    return false;
  }
  set.version = json["version"];
  set.checksum = json["checksum"];
  for (const nlohmann::json& entry : json["tensors"]) {
    if (!entry.is_object() || !entry.contains("name") || !entry["name"].is_string() || !entry.contains("shape") ||
        !entry["shape"].is_array() ||
        !std::ranges::all_of(entry["shape"], [](const nlohmann::json& n) { return n.is_number_integer(); })) {
      return false;
    }
    set.tensors.push_back({entry["name"], entry["shape"].get<std::vector<std::int64_t>>(), {}});
  }
  return true;
}

}  // namespace

WeightSet copy_weights(Policy& policy) {
  WeightSet set;
  set.version = policy.version();
  for (const ParameterView& view : policy.parameters()) {
    set.tensors.push_back({view.name, view.shape, {view.value.begin(), view.value.end()}});
  }
  return set;
}

void adopt_weights(Policy& policy, const WeightSet& set) {
  std::vector<ParameterView>& parameters = policy.parameters();
  PLUMB_CHECK(set.tensors.size() == parameters.size(), "adopt_weights: weights of another model");
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    PLUMB_CHECK(set.tensors[i].values.size() == parameters[i].value.size(), "adopt_weights: weights of another model");
    std::ranges::copy(set.tensors[i].values, parameters[i].value.begin());
  }
  policy.commit_update_as(set.version);
}

WeightSet take_weight_set(Policy& policy) {
  WeightSet set = copy_weights(policy);
  set.checksum = weight_set_checksum(set);
  return set;
}

std::string weight_set_checksum(const WeightSet& set) {
  Sha256 sum;
  sum.update(fmt::format("version {}\n", set.version));
  for (const NamedTensor& tensor : set.tensors) {
    sum.update(fmt::format("{} {} {}\n", tensor.name.size(), tensor.name, shape_text(tensor.shape)));
    sum.update(std::as_bytes(std::span(tensor.values)));
  }
  return sum.hex();
}

Result<void> load_weight_set(Policy& policy, const WeightSet& set) {
  if (set.version <= policy.version()) {
    return Error{fmt::format("the weights have version {}, but the policy is at version {} already: load a newer one",
                             set.version, policy.version())};
  }
  if (const std::string found = weight_set_checksum(set); found != set.checksum) {
    return Error{checksum_error(set.checksum, found)};
  }
  std::vector<ParameterView>& parameters = policy.parameters();
  if (set.tensors.size() != parameters.size()) {
    return Error{fmt::format("the weights hold {} tensors, but the policy has {}: they are of another model",
                             set.tensors.size(), parameters.size())};
  }
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (const std::string wrong = mismatch(set.tensors[i], parameters[i]); !wrong.empty()) {
      return Error{wrong};
    }
  }
  adopt_weights(policy, set);
  return {};
}

Result<void> write_weight_set(const std::string& path, const WeightSet& set) {
  const std::string checksum = set.checksum.empty() ? weight_set_checksum(set) : set.checksum;
  nlohmann::json json = {{"version", set.version}, {"checksum", checksum}, {"tensors", nlohmann::json::array()}};
  for (const NamedTensor& tensor : set.tensors) {
    json["tensors"].push_back({{"name", tensor.name}, {"shape", tensor.shape}});
  }
  const std::string header = json.dump();
  const std::uint64_t length = header.size();
  PLUMB_ASSIGN(AtomicFile file, AtomicFile::create(path));
  PLUMB_TRY(file.write(kMagic));
  PLUMB_TRY(file.write(std::as_bytes(std::span(&length, 1))));
  PLUMB_TRY(file.write(header));
  for (const NamedTensor& tensor : set.tensors) {
    PLUMB_TRY(file.write(std::as_bytes(std::span(tensor.values))));
  }
  return file.commit();
}

Result<WeightSet> read_weight_set(const std::string& path) {
  PLUMB_ASSIGN(const MappedFile file, MappedFile::open(path));
  const std::span<const std::byte> bytes = file.bytes();
  const auto not_one = [&](const char* what) {
    return Error{path + " is no weight set: " + what + "; name a file that plumb wrote as one"};
  };
  std::uint64_t length = 0;
  const std::size_t start = kMagic.size() + sizeof(length);
  if (bytes.size() < start || std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) != 0) {
    return not_one("it does not begin with PLUMBWS1");
  }
  std::memcpy(&length, bytes.data() + kMagic.size(), sizeof(length));
  if (length > kLongestHeader || length > bytes.size() - start) {
    return not_one("its header is longer than the file");
  }
  const auto* text = static_cast<const char*>(static_cast<const void*>(bytes.data() + start));
  WeightSet set;
  if (!read_header(nlohmann::json::parse(text, text + length, nullptr, false), set)) {
    return not_one("its header is damaged");
  }
  std::size_t at = start + length;
  for (NamedTensor& tensor : set.tensors) {
    const auto left = static_cast<std::int64_t>((bytes.size() - at) / sizeof(float));
    const std::int64_t count = count_values(tensor.shape, left);
    if (count < 0) {
      return Error{fmt::format("{} ends within tensor {}: it was cut short; copy it again", path, tensor.name)};
    }
    tensor.values.resize(static_cast<std::size_t>(count));
    const std::size_t size = tensor.values.size() * sizeof(float);
    std::memcpy(tensor.values.data(), bytes.data() + at, size);
    at += size;
  }
  if (at != bytes.size()) {
    return Error{fmt::format("{} holds {} bytes behind its last tensor; copy it again", path, bytes.size() - at)};
  }
  if (const std::string found = weight_set_checksum(set); found != set.checksum) {
    return Error{path + ": " + checksum_error(set.checksum, found)};
  }
  return set;
}

}  // namespace plumb
