// One golden per row shape: the records that tests/golden/records/*.jsonl become, field by field.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "datasets/task_file.h"

namespace plumb {
namespace {

using nlohmann::json;

const std::filesystem::path kFolder = std::filesystem::path(PLUMB_SOURCE_DIR) / "tests" / "golden" / "records";

json cases_to_json(const std::vector<TestCase>& cases) {
  json out = json::array();
  for (const TestCase& test : cases) {
    out.push_back({{"args", test.args}, {"result", test.result}});
  }
  return out;
}

json to_json(const PromptRecord& prompt) {
  json messages = json::array();
  for (const Message& message : prompt.messages) {
    messages.push_back({{"role", message.role}, {"content", message.content}});
  }
  json parameters = json::array();
  for (const Parameter& parameter : prompt.function.parameters) {
    parameters.push_back(parameter.name + ": " + parameter.type);
  }
  json out = {{"id", prompt.id},
              {"family", prompt.family},
              {"split", prompt.split},
              {"data_source", prompt.data_source},
              {"license", prompt.license},
              {"domain", to_string(prompt.domain)},
              {"language", to_string(prompt.language)},
              {"messages", messages}};
  if (prompt.domain == Domain::kCode) {
    out["function"] = {
        {"name", prompt.function.name}, {"parameters", parameters}, {"returns", prompt.function.returns}};
    out["tests"] = cases_to_json(prompt.tests);
    out["audit_tests"] = cases_to_json(prompt.audit_tests);
  }
  if (prompt.domain == Domain::kMath) {
    out["answer"] = prompt.answer;
  }
  if (!prompt.reference.empty()) {
    out["reference"] = prompt.reference;
  }
  return out;
}

class RecordsGoldenTest : public ::testing::TestWithParam<const char*> {};

TEST_P(RecordsGoldenTest, RowsBecomeTheExpectedRecords) {
  auto prompts = load_prompts(kFolder / (std::string(GetParam()) + ".jsonl"), {});
  ASSERT_TRUE(prompts) << prompts.error().message;
  std::ifstream stream(kFolder / (std::string(GetParam()) + ".expected.json"));
  const json expected = json::parse(stream, nullptr, false);
  ASSERT_TRUE(expected.is_array()) << "the golden is missing or no JSON list";
  ASSERT_EQ(prompts->size(), expected.size());
  for (std::size_t i = 0; i < prompts->size(); ++i) {
    // As text: JSON comparison takes 2 and 2.0 for equal, a judge does not.
    EXPECT_EQ(to_json((*prompts)[i]).dump(2), expected[i].dump(2));
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, RecordsGoldenTest, ::testing::Values("own", "verl_math", "verl_code", "trl", "text"),
                         [](const auto& shape) { return std::string(shape.param); });

}  // namespace
}  // namespace plumb
