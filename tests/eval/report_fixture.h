#pragma once
// A run folder of each test's own, and the page that is made of it.

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "core/atomic_file.h"
#include "eval/report/report.h"

namespace plumb {

class ReportFixture : public testing::Test {
 protected:
  void SetUp() override {
    dir_ = std::filesystem::path(testing::TempDir()) /
           (std::string("plumb_report_") + testing::UnitTest::GetInstance()->current_test_info()->name() + "_" +
            std::to_string(getpid()));
    std::filesystem::remove_all(dir_);
    std::filesystem::create_directories(dir_);
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  void write(const std::string& name, const std::string& text) const {
    std::ofstream(dir_ / name, std::ios::binary) << text;
  }

  [[nodiscard]] std::string report() const {
    const auto written = write_report(dir_);
    EXPECT_TRUE(written.ok()) << (written.ok() ? "" : written.error().message);
    auto text = read_file((dir_ / "report.html").string());
    return text ? *text : std::string();
  }

  static std::size_t count(const std::string& text, const std::string& word) {
    std::size_t found = 0;
    for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
      ++found;
    }
    return found;
  }

  static bool holds(const std::string& text, const std::string& word) { return text.find(word) != std::string::npos; }

  std::filesystem::path dir_;
};

}  // namespace plumb
