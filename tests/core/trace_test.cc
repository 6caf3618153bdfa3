#include "core/trace.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "core/thread_pool.h"

namespace plumb {
namespace {

TEST(Trace, HoldsEverySpanOfEveryThread) {
  const std::string path = (std::filesystem::path(::testing::TempDir()) / "trace_test.json").string();
  { const TraceSpan span("before"); }
  start_trace();
  ThreadPool pool(2);
  pool.parallel_for(20, [](std::int64_t, int) { const TraceSpan span("task"); });
  {
    const TraceSpan outer("outer");
    const TraceSpan inner("inner");
  }
  stop_trace();
  { const TraceSpan span("after"); }
  const auto written = write_trace(path);
  ASSERT_TRUE(written.ok()) << written.error().message;
  const nlohmann::json json = nlohmann::json::parse(std::ifstream(path));
  std::filesystem::remove(path);
  EXPECT_EQ(json.at("otherData").at("dropped_spans"), 0);
  std::multiset<std::string> names;
  for (const nlohmann::json& event : json.at("traceEvents")) {
    EXPECT_EQ(event.at("ph"), "X");
    EXPECT_GE(event.at("ts").get<double>(), 0);
    EXPECT_GE(event.at("dur").get<double>(), 0);
    EXPECT_TRUE(event.at("tid").is_number_integer());
    names.insert(event.at("name").get<std::string>());
  }
  EXPECT_EQ(names.count("task"), 20U);
  EXPECT_EQ(names.count("outer"), 1U);
  EXPECT_EQ(names.count("inner"), 1U);
  EXPECT_EQ(names.size(), 22U);
  std::int64_t tasks = 0;
  for (const TraceTotal& total : trace_totals()) {
    tasks += total.name == "task" ? total.count : 0;
  }
  EXPECT_EQ(tasks, 20);
}

TEST(Trace, StartsAnew) {
  start_trace();
  { const TraceSpan span("old"); }
  start_trace();
  stop_trace();
  EXPECT_TRUE(trace_totals().empty());
}

TEST(Trace, NamesAFileThatCannotBeWritten) {
  const auto written = write_trace("/dev/null/absent/trace.json");
  ASSERT_FALSE(written.ok());
  EXPECT_NE(written.error().message.find("/dev/null/absent/trace.json"), std::string::npos) << written.error().message;
}

}  // namespace
}  // namespace plumb
