#include "formats/dequantize.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "formats/half.h"
#include "tests/support/model_files.h"

namespace plumb {
namespace {

// Reads the golden file in order.
class Reader {
 public:
  explicit Reader(std::string bytes) : bytes_(std::move(bytes)) {}
  std::uint32_t u32() {
    std::uint32_t value = 0;
    std::memcpy(&value, take(4).data(), 4);
    return value;
  }
  std::string_view take(std::size_t count) {
    const std::string_view part = std::string_view(bytes_).substr(at_, count);
    at_ += count;
    return part;
  }

 private:
  std::string bytes_;
  std::size_t at_ = 0;
};

TEST(Dequantize, EqualsTheGgufPackageBitForBit) {
  Reader golden(testing::read_text(std::string(PLUMB_SOURCE_DIR) + "/tests/golden/dequantize.bin"));
  ASSERT_EQ(golden.take(4), "PLDQ") << "regenerate with tests/golden/make_dequantize.py";
  ASSERT_EQ(golden.u32(), 1U);
  const std::uint32_t num_cases = golden.u32();
  ASSERT_EQ(num_cases, 7U);
  for (std::uint32_t i = 0; i < num_cases; ++i) {
    const std::uint32_t type = golden.u32();
    const std::uint32_t num_bytes = golden.u32();
    const std::uint32_t num_values = golden.u32();
    const std::string_view blocks = golden.take(num_bytes);
    std::vector<float> expected(num_values);
    std::memcpy(expected.data(), golden.take(num_values * sizeof(float)).data(), num_values * sizeof(float));
    std::vector<float> values(num_values, -1.0F);
    dequantize(static_cast<GgufType>(type), testing::as_byte_span(blocks), values);
    EXPECT_EQ(std::memcmp(values.data(), expected.data(), num_values * sizeof(float)), 0) << gguf_type_name(type);
  }
}

TEST(Half, NaNStaysNaNAndInfinityInfinity) {
  EXPECT_TRUE(std::isnan(half_to_float(0x7E01)));
  EXPECT_EQ(half_to_float(0xFC00), -std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(bfloat16_to_float(float_to_bfloat16(std::numeric_limits<float>::quiet_NaN()))));
  EXPECT_EQ(float_to_bfloat16(std::numeric_limits<float>::infinity()), 0x7F80);
}

TEST(Half, Bfloat16RoundsToNearestEven) {
  EXPECT_EQ(float_to_bfloat16(1.0F), 0x3F80);
  EXPECT_EQ(float_to_bfloat16(0x1.01p0F), 0x3F80);  // halfway, down to even
  EXPECT_EQ(float_to_bfloat16(0x1.03p0F), 0x3F82);  // halfway, up to even
  EXPECT_EQ(float_to_bfloat16(0x1.0102p0F), 0x3F81);
  EXPECT_EQ(float_to_bfloat16(std::numeric_limits<float>::max()), 0x7F80);
}

}  // namespace
}  // namespace plumb
