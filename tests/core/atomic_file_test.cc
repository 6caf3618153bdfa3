#include "core/atomic_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace plumb {
namespace {

namespace fs = std::filesystem;

class AtomicFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "plumb_atomic_XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  fs::path folder_;
};

// A stand-in for a full disk: writes beyond the limit fail with EFBIG while it lives.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
  void (*handler_)(int) = nullptr;
};

TEST_F(AtomicFileTest, ReplacesAWholeFile) {
  ASSERT_TRUE(write_file_atomic(path("a"), "one"));
  ASSERT_TRUE(write_file_atomic(path("a"), std::string("two\0zero", 8)));
  EXPECT_EQ(read_file(path("a")).value(), std::string("two\0zero", 8));
  EXPECT_FALSE(fs::exists(path("a.partial")));
}

TEST_F(AtomicFileTest, DroppedWithoutCommitLeavesTheOldFile) {
  ASSERT_TRUE(write_file_atomic(path("a"), "old"));
  {
    auto file = AtomicFile::create(path("a"));
    ASSERT_TRUE(file);
    ASSERT_TRUE(file->write(std::string_view("new")));
  }
  EXPECT_EQ(read_file(path("a")).value(), "old");
  EXPECT_FALSE(fs::exists(path("a.partial")));
}

TEST_F(AtomicFileTest, AFailedWriteLeavesTheOldFile) {
  ASSERT_TRUE(write_file_atomic(path("a"), "old"));
  const FileSizeLimit limit(4096);
  const Result<void> result = write_file_atomic(path("a"), std::string(10000, 'x'));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message,
            path("a") +
                ": cannot be written: the file would be longer than this process may write; raise that limit "
                "(ulimit -f)");
  EXPECT_EQ(read_file(path("a")).value(), "old");
  EXPECT_FALSE(fs::exists(path("a.partial")));
}

TEST_F(AtomicFileTest, AFullDiskIsSaidInWords) {
  auto opened = AppendFile::open("/dev/full");
  if (!opened) {
    GTEST_SKIP() << "/dev/full is absent here";
  }
  const Result<void> result = opened->append("line");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message,
            "/dev/full: cannot be written: no space left on the disk; free some or choose another folder");
}

TEST_F(AtomicFileTest, AnAbsentFolderIsAnError) {
  const Result<void> result = write_file_atomic(path("no/such/file"), "x");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, path("no/such/file") + ": cannot be created: No such file or directory");
}

TEST_F(AtomicFileTest, EnsureWritableFolderCreatesAndProves) {
  ASSERT_TRUE(ensure_writable_folder(path("x/y/z")));
  EXPECT_TRUE(fs::is_directory(path("x/y/z")));
  EXPECT_TRUE(fs::is_empty(path("x/y/z")));
  ASSERT_TRUE(write_file_atomic(path("plain"), "x"));
  const Result<void> result = ensure_writable_folder(path("plain/below"));
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find(path("plain/below") + ": the folder cannot be created"), std::string::npos);
  // /proc refuses new files even to root.
  const Result<void> kernel = ensure_writable_folder("/proc/sys");
  ASSERT_FALSE(kernel);
  EXPECT_NE(kernel.error().message.find("/proc/sys: the folder cannot be written"), std::string::npos);
}

TEST_F(AtomicFileTest, ReadFileRefusesMoreThanTheLimit) {
  ASSERT_TRUE(write_file_atomic(path("a"), std::string(100, 'x')));
  EXPECT_TRUE(read_file(path("a"), 100));
  const auto result = read_file(path("a"), 99);
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("more than 99 bytes"), std::string::npos);
}

TEST_F(AtomicFileTest, CommitFolderSwapsInTheNewOne) {
  fs::create_directories(path("aside/sub"));
  ASSERT_TRUE(write_file_atomic(path("aside/sub/w"), "1"));
  ASSERT_TRUE(commit_folder(path("aside"), path("checkpoint")));
  EXPECT_EQ(read_file(path("checkpoint/sub/w")).value(), "1");
  fs::create_directories(path("aside"));
  ASSERT_TRUE(write_file_atomic(path("aside/w"), "2"));
  ASSERT_TRUE(commit_folder(path("aside"), path("checkpoint")));
  EXPECT_EQ(read_file(path("checkpoint/w")).value(), "2");
  EXPECT_FALSE(fs::exists(path("checkpoint/sub")));
  EXPECT_FALSE(fs::exists(path("aside")));
}

TEST_F(AtomicFileTest, AppendFileKeepsWhatACheckpointKnew) {
  std::uint64_t known = 0;
  {
    auto file = AppendFile::open(path("m.jsonl"));
    ASSERT_TRUE(file);
    ASSERT_TRUE(file->append("one"));
    known = file->size_bytes();
    ASSERT_TRUE(file->append("two"));
    ASSERT_TRUE(file->sync());
  }
  {
    auto file = AppendFile::open(path("m.jsonl"), known);
    ASSERT_TRUE(file);
    ASSERT_TRUE(file->append("three"));
  }
  EXPECT_EQ(read_file(path("m.jsonl")).value(), "one\nthree\n");
  const auto short_file = AppendFile::open(path("m.jsonl"), 1000);
  ASSERT_FALSE(short_file);
  EXPECT_NE(short_file.error().message.find("expected at least 1000 bytes, found 10"), std::string::npos);
}

TEST_F(AtomicFileTest, AFailedAppendLeavesWholeLines) {
  auto file = AppendFile::open(path("m.jsonl"));
  ASSERT_TRUE(file);
  ASSERT_TRUE(file->append("whole"));
  const FileSizeLimit limit(4096);
  ASSERT_FALSE(file->append(std::string(10000, 'x')));
  EXPECT_EQ(read_file(path("m.jsonl")).value(), "whole\n");
}

}  // namespace
}  // namespace plumb
