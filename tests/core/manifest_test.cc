#include "core/manifest.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "core/atomic_file.h"
#include "core/hash.h"
#include "core/machine.h"

namespace plumb {
namespace {

TEST(Hash, MatchesTheStandardsExamples) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  Sha256 pieces;
  pieces.update(std::string_view("a"));
  pieces.update(std::string_view(""));
  pieces.update(std::string_view("bc"));
  EXPECT_EQ(pieces.hex(), sha256_hex("abc"));
}

TEST(Hash, OfAFileIsOfItsBytes) {
  const std::string path = (std::filesystem::temp_directory_path() / "plumb_hash_test").string();
  const std::string bytes((3 << 20) + 17, 'q');
  ASSERT_TRUE(write_file_atomic(path, bytes));
  EXPECT_EQ(sha256_file(path).value(), sha256_hex(bytes));
  std::filesystem::remove(path);
  const auto absent = sha256_file(path);
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().message, path + ": cannot be read: No such file or directory");
  EXPECT_FALSE(sha256_file("/proc/self")) << "a folder has no bytes";
}

RunManifest filled() {
  RunManifest manifest = make_manifest();
  manifest.command = "grpo";
  manifest.plumb_version = "0.1.0";
  manifest.git_commit = "0123abc";
  manifest.onednn_version = "2.6.3";
  manifest.seed = 18446744073709551615U;
  manifest.config_sha256 = sha256_hex("config");
  manifest.file_sha256 = {{"data", sha256_hex("data")}, {"model", sha256_hex("model")}};
  manifest.argv = {"plumb", "grpo", "\xff not UTF-8"};
  return manifest;
}

TEST(Manifest, SurvivesTheDisk) {
  const RunManifest manifest = filled();
  const std::string path = (std::filesystem::temp_directory_path() / "plumb_manifest_test.json").string();
  ASSERT_TRUE(write_manifest(manifest, path));
  const auto read = read_manifest(path);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_TRUE(manifest_differences(manifest, *read).empty());
  EXPECT_EQ(read->seed, manifest.seed);
  EXPECT_EQ(read->started_at, manifest.started_at);
  EXPECT_EQ(read->argv.size(), 3U);
  EXPECT_EQ(read->command, "grpo");
  ASSERT_TRUE(write_file_atomic(path, "{\"plumb_version\": 1}"));
  EXPECT_EQ(read_manifest(path).error().message,
            path + ": the manifest's field \"plumb_version\" is absent or has the wrong type");
  ASSERT_TRUE(write_file_atomic(path, "{"));
  EXPECT_EQ(read_manifest(path).error().message,
            path +
                ": not valid JSON, so that nobody can say what the run depends on; put the file back from a copy, or "
                "start a new run with another --out");
  std::filesystem::remove(path);
}

TEST(Manifest, NamesWhatDiffers) {
  const RunManifest before = filled();
  RunManifest now = before;
  now.started_at = "later";
  now.argv = {};
  EXPECT_TRUE(manifest_differences(before, now).empty());
  now.onednn_version = "3.0.0";
  now.file_sha256.erase("data");
  now.file_sha256["tokenizer"] = "00";
  EXPECT_EQ(manifest_differences(before, now),
            (std::vector<std::string>{"file_sha256.tokenizer: was absent, is 00", "onednn_version: was 2.6.3, is 3.0.0",
                                      "file_sha256.data: was " + sha256_hex("data") + ", is absent"}));
}

TEST(Machine, KnowsItself) {
  const CpuInfo cpu = read_cpu_info();
  EXPECT_GE(cpu.usable_processors, 1);
  const MemoryInfo memory = read_memory_info();
  EXPECT_GT(memory.total_bytes, memory.available_bytes);
  EXPECT_GT(memory.available_bytes, 0U);
  EXPECT_GT(free_disk_bytes(".").value(), 0U);
  EXPECT_GT(free_disk_bytes("not/there/yet").value(), 0U);
  // This binary runs here, so the processor has whatever the build assumed.
  for (const std::string& feature : features_of_build()) {
    EXPECT_TRUE(cpu.has(feature)) << feature;
  }
}

}  // namespace
}  // namespace plumb
