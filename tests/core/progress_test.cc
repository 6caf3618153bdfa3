#include "core/progress.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace plumb {
namespace {

// A stream that keeps what was printed, and a clock that is set by hand.
class ProgressTest : public testing::Test {
 protected:
  void SetUp() override { file_ = open_memstream(&buffer_, &size_); }
  void TearDown() override {
    std::fclose(file_);
    std::free(buffer_);
  }
  ProgressOptions options(bool terminal) {
    ProgressOptions options;
    options.out = file_;
    options.unit = "step";
    options.terminal = terminal;
    options.seconds = [this] { return now_s_; };
    return options;
  }
  std::string text() {
    std::fflush(file_);
    return {buffer_, size_};
  }

  double now_s_ = 100;
  std::FILE* file_ = nullptr;
  char* buffer_ = nullptr;
  std::size_t size_ = 0;
};

TEST_F(ProgressTest, PlainLinesAreThrottled) {
  Progress progress("grpo", 60, options(false));
  for (int step = 0; step <= 12; ++step, now_s_ += 2) {
    progress.update(step, "reward 0.31");
  }
  progress.finish();
  EXPECT_EQ(text(),
            "grpo   0% 0/60  reward 0.31\n"
            "grpo   8% 5/60  2.0 s/step  1m 50s left  reward 0.31\n"
            "grpo  17% 10/60  2.0 s/step  1m 40s left  reward 0.31\n"
            "grpo  20% 12/60  2.2 s/step  in 26s  reward 0.31\n");
}

TEST_F(ProgressTest, WhatWasDoneBeforeIsNotInTheRate) {
  Progress progress("grpo", 60, options(false));
  now_s_ += 100;  // a checkpoint is loaded
  progress.start_at(40);
  now_s_ += 20;
  progress.update(50);
  progress.finish();
  EXPECT_EQ(text(),
            "grpo  83% 50/60  2.0 s/step  20s left\n"
            "grpo  83% 50/60  2.0 s/step  in 20s\n");
}

TEST_F(ProgressTest, TheBarIsRedrawnInPlaceAndEnds) {
  {
    Progress progress("sft", 4, options(true));
    now_s_ += 1;
    progress.update(2);
    progress.line("step 2 loss 1.5");
  }
  const std::string shown = text();
  EXPECT_NE(shown.find("\rsft ████████████░░░░░░░░░░░░  50% 2/4  2.0 step/s  1s left\x1B[K"), std::string::npos)
      << shown;
  EXPECT_NE(shown.find("\r\x1B[Kstep 2 loss 1.5\n"), std::string::npos) << shown;
  EXPECT_EQ(shown.back(), '\n');
}

TEST_F(ProgressTest, HostileTextCannotDriveTheTerminal) {
  Progress progress("x", 0, options(false));
  progress.update(1, "a\x1B[2Jb\nc");
  progress.line("\x1B]0;owned\x07ok");
  EXPECT_EQ(text(), "x 1  ab c\nok\n");
}

TEST(FormatDuration, ThreeScales) {
  EXPECT_EQ(format_duration(4.4), "4s");
  EXPECT_EQ(format_duration(65), "1m 05s");
  EXPECT_EQ(format_duration(7384), "2h 03m");
}

}  // namespace
}  // namespace plumb
