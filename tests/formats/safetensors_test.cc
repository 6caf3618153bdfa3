#include "formats/safetensors.h"

#include <gtest/gtest.h>

#include "tests/support/model_files.h"

namespace plumb {
namespace {

using testing::safetensors_bytes;

Result<SafetensorsFile> parse(const std::string& bytes) {
  return SafetensorsFile::parse(testing::as_byte_span(bytes), "file.safetensors");
}

constexpr const char* kHeader =
    R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"BF16","shape":[1,2],"data_offsets":[8,12]},)"
    R"("c":{"dtype":"I64","shape":[],"data_offsets":[12,20]},"__metadata__":{"format":"pt"}})";

std::string small_file() {
  std::string data;
  for (const float value : {1.5F, -2.0F}) {
    data += testing::GgufBuilder::raw(value);
  }
  data += std::string("\x80\x3f\x00\xc0", 4) + std::string(8, '\x01');
  return safetensors_bytes(kHeader, data);
}

TEST(Safetensors, ReadsFloatsAndRefusesIntegers) {
  const std::string bytes = small_file();
  const auto file = parse(bytes);
  ASSERT_TRUE(file.ok()) << file.error().message;
  EXPECT_EQ(file->read("a")->values, (std::vector<float>{1.5F, -2.0F}));
  EXPECT_EQ(file->read("b")->values, (std::vector<float>{1.0F, -2.0F}));
  EXPECT_EQ(file->read("b")->shape, (std::vector<std::int64_t>{1, 2}));
  EXPECT_NE(file->read("c").error().message.find("I64"), std::string::npos);
  EXPECT_FALSE(file->read("d").ok());
}

TEST(Safetensors, EveryTruncationIsAClearError) {
  const std::string bytes = small_file();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto file = parse(bytes.substr(0, size));
    ASSERT_FALSE(file.ok()) << size;
    EXPECT_TRUE(file.error().message.starts_with("file.safetensors: ")) << file.error().message;
  }
}

TEST(Safetensors, NoFlippedBitCrashes) {
  const std::string bytes = small_file();
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(static_cast<unsigned char>(damaged[at]) ^ (1U << bit));
      const auto file = parse(damaged);
      if (file) {
        for (const auto& [name, entry] : file->entries()) {
          (void)file->read(name);
        }
      }
    }
  }
}

TEST(Safetensors, RefusesHeadersThatContradictTheData) {
  const auto refused = [](const std::string& header, std::size_t data_bytes) {
    const std::string bytes = safetensors_bytes(header, std::string(data_bytes, 'x'));
    const auto file = parse(bytes);
    return file ? std::string("accepted") : file.error().message;
  };
  const auto has = [](const std::string& text, const std::string& part) {
    return ::testing::AssertionResult(text.find(part) != std::string::npos) << text;
  };
  EXPECT_TRUE(has(refused("[1]", 0), "no JSON object"));
  EXPECT_TRUE(has(refused("{", 0), "no JSON object"));
  EXPECT_TRUE(has(refused(R"({"a":{"dtype":"F32"}})", 0), "the tensor a: needs the keys"));
  EXPECT_TRUE(has(refused(R"({"a":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}})", 4), "F31"));
  EXPECT_TRUE(has(refused(R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4), "impossible shape"));
  EXPECT_TRUE(has(refused(R"({"a":{"dtype":"F32","shape":[1e9],"data_offsets":[0,4]}})", 4), "impossible shape"));
  EXPECT_TRUE(
      has(refused(R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}})", 4), "impossible"));
  EXPECT_TRUE(has(refused(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4), "need 8"));
  EXPECT_TRUE(has(refused(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 4), "truncated"));
  EXPECT_TRUE(has(refused(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", 4), "lies at"));
  EXPECT_TRUE(has(refused(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 8), "end at byte 4 of 8"));
  EXPECT_TRUE(has(refused(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                          R"("b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
                          4),
                  "overlap"));
}

TEST(Safetensors, WritesWhatItReads) {
  const testing::TemporaryFolder folder;
  const std::vector<float> first = {1.0F, -2.5F, 3.14159F, 0.0F, 1e-30F, 65504.0F};
  const std::vector<float> second = {7.0F};
  const std::vector<TensorView> tensors = {{"z", {2, 3}, first}, {"a", {1}, second}};
  ASSERT_TRUE(write_safetensors(folder / "f32", tensors, SafetensorsDtype::kF32).ok());
  const auto exact = SafetensorsFile::open(folder / "f32");
  ASSERT_TRUE(exact.ok()) << exact.error().message;
  EXPECT_EQ(exact->read("z")->values, first);
  EXPECT_EQ(exact->read("z")->shape, (std::vector<std::int64_t>{2, 3}));
  ASSERT_TRUE(write_safetensors(folder / "bf16", tensors, SafetensorsDtype::kBf16).ok());
  const auto rounded = SafetensorsFile::open(folder / "bf16");
  ASSERT_TRUE(rounded.ok()) << rounded.error().message;
  EXPECT_EQ(rounded->entries().at("z").dtype, "BF16");
  EXPECT_EQ(rounded->read("z")->values[2], 3.140625F);
}

TEST(Safetensors, RefusesToWriteNonsense) {
  const testing::TemporaryFolder folder;
  const std::vector<float> values = {1.0F};
  const std::vector<TensorView> wrong_shape = {{"a", {2}, values}};
  EXPECT_NE(write_safetensors(folder / "f", wrong_shape, SafetensorsDtype::kF32).error().message.find("tensor a"),
            std::string::npos);
  const std::vector<TensorView> twice = {{"a", {1}, values}, {"a", {1}, values}};
  EXPECT_FALSE(write_safetensors(folder / "f", twice, SafetensorsDtype::kF32).ok());
  EXPECT_FALSE(std::filesystem::exists(folder / "f"));
  const std::vector<TensorView> good = {{"a", {1}, values}};
  EXPECT_FALSE(write_safetensors("/no/such/folder/f", good, SafetensorsDtype::kF32).ok());
}

}  // namespace
}  // namespace plumb
