// Any bytes as a config file and as an override: refused with a sentence, or taken; what is taken reads back from its
// own resolved form to the same values.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/config.h"

namespace {

struct Sample {
  double rate = 0.1;
  std::int64_t count = 1;
  bool flag = false;
  std::string text = "a";
  std::vector<double> rates = {0.5};
  std::vector<std::int64_t> counts = {1};
  std::vector<std::string> texts = {"b"};

  void describe(plumb::ConfigSection& section) {
    section.field("rate", rate, {.help = "h", .min = 0, .max = 1});
    section.field("count", count, {.help = "h"});
    section.field("flag", flag, {.help = "h"});
    section.field("text", text, {.help = "h"});
    section.field("rates", rates, {.help = "h"});
    section.field("counts", counts, {.help = "h"});
    section.field("texts", texts, {.help = "h"});
  }
};

void check_round_trip(const plumb::Config& config) {
  Sample again;
  plumb::Config reader;
  reader.add("a", again);
  const plumb::Result<void> loaded = reader.load_text(config.to_toml(), "resolved");
  PLUMB_CHECK(loaded.ok(), loaded ? "" : loaded.error().message);
  PLUMB_CHECK(reader.checksum() == config.checksum(), "the resolved config reads back to other values");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(data, data + size);
  Sample from_file;
  plumb::Config file;
  file.add("a", from_file);
  if (file.load_text(bytes, "fuzz")) {
    check_round_trip(file);
  }
  Sample from_override;
  plumb::Config override;
  override.add("a", from_override);
  if (override.set("a." + bytes)) {
    check_round_trip(override);
  }
  return 0;
}
