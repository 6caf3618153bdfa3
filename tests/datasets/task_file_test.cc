// The loader on the committed primer and on rows of every shape.

#include "datasets/task_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <set>

namespace plumb {
namespace {

const std::filesystem::path kPrimer = std::filesystem::path(PLUMB_SOURCE_DIR) / "datasets" / "primer";

class TaskFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::path(::testing::TempDir()) / (std::string("plumb_task_file_") + info->name());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  Result<std::vector<PromptRecord>> load(const std::string& text, const TaskFileOptions& options = {}) {
    write("tasks.jsonl", text);
    return load_prompts(folder_ / "tasks.jsonl", options);
  }
  void write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name, std::ios::binary) << text;
  }
  /// The message, which begins with the file as it was named, without the file's folder.
  std::string error_of(const std::string& text) {
    auto prompts = load(text);
    const std::string message = prompts ? "no error" : prompts.error().message;
    const std::string folder = folder_.string() + "/";
    EXPECT_TRUE(prompts || message.starts_with(folder)) << message;
    return message.starts_with(folder) ? message.substr(folder.size()) : message;
  }

  std::filesystem::path folder_;
};

/// A valid function row in which `key` (at the top level) has another value.
std::string function_row(const std::string& key = "", const nlohmann::json& value = {}) {
  nlohmann::json row = {
      {"id", "t/add"},
      {"description", "returns the sum of two integers."},
      {"function",
       {{"name", "add"},
        {"parameters", {{{"name", "a"}, {"type", "int"}}, {{"name", "b"}, {"type", "int"}}}},
        {"returns", "int"}}},
      {"tests", {{{"args", {1, 2}}, {"result", 3}}}},
  };
  if (!key.empty()) {
    row[key] = value;
  }
  return row.dump() + "\n";
}

TEST_F(TaskFileTest, ReadsThePrimersFunctions) {
  auto prompts = load_prompts(kPrimer / "functions.jsonl", {});
  ASSERT_TRUE(prompts) << prompts.error().message;
  ASSERT_EQ(prompts->size(), 580u);
  std::set<std::string> ids;
  for (const PromptRecord& prompt : *prompts) {
    ids.insert(prompt.id);
    EXPECT_GE(prompt.tests.size(), 20u) << prompt.id;
    EXPECT_GE(prompt.audit_tests.size(), 20u) << prompt.id;
    EXPECT_FALSE(prompt.reference.empty()) << prompt.id;
    EXPECT_EQ(prompt.domain, Domain::kCode);
  }
  EXPECT_EQ(ids.size(), 580u);
}

TEST_F(TaskFileTest, FiltersBySplitAndLanguage) {
  auto prompts = load_prompts(kPrimer / "functions.jsonl", {{Language::kCpp}, {"test"}});
  ASSERT_TRUE(prompts) << prompts.error().message;
  EXPECT_EQ(prompts->size(), 60u);
  auto maths = load_prompts(kPrimer / "math.jsonl", {{}, {"rl"}});
  ASSERT_TRUE(maths) << maths.error().message;
  EXPECT_EQ(maths->size(), 120u);
  EXPECT_EQ(maths->front().domain, Domain::kMath);
  EXPECT_NE(maths->front().messages[0].content.find("\nPut the final answer in \\boxed{}."), std::string::npos);
}

TEST_F(TaskFileTest, PromptIsOneSentenceTheSignatureAndTheRequest) {
  auto prompts = load(function_row());
  ASSERT_TRUE(prompts) << prompts.error().message;
  ASSERT_EQ(prompts->size(), 2u);
  EXPECT_EQ((*prompts)[0].id, "t/add/python");
  EXPECT_EQ((*prompts)[0].messages[0].content,
            "Write a Python function that returns the sum of two integers.\n`def add(a: int, b: int) -> int:`\n"
            "Answer with one code block.");
  EXPECT_EQ((*prompts)[1].id, "t/add/cpp");
  EXPECT_EQ((*prompts)[1].messages[0].content,
            "Write a C++ function that returns the sum of two integers.\n`int add(int a, int b)`\n"
            "Answer with one code block.");
  EXPECT_EQ((*prompts)[0].split, "rl");
  EXPECT_EQ((*prompts)[0].family, "t/add");
}

TEST_F(TaskFileTest, DescriptionsMayBePhrasesOrSentences) {
  const auto first_line = [&](const char* description) {
    auto prompts = load(function_row("description", description));
    const std::string text = prompts ? (*prompts)[0].messages[0].content : prompts.error().message;
    return text.substr(0, text.find('\n'));
  };
  EXPECT_EQ(first_line("Return the sum"), "Write a Python function that returns the sum.");
  EXPECT_EQ(first_line("Returns the sum."), "Write a Python function that returns the sum.");
  EXPECT_EQ(first_line("adds two numbers"), "Write a Python function that adds two numbers.");
  EXPECT_EQ(first_line("Add two numbers."), "Write a Python function for this: Add two numbers.");
}

TEST_F(TaskFileTest, DemonstrationIsFenceCodeFence) {
  auto prompts = load(function_row("references", {{"cpp", "int add(int a, int b) {\n    return a + b;\n}\n"}}));
  ASSERT_TRUE(prompts) << prompts.error().message;
  const auto records = demonstrations(*prompts);
  ASSERT_EQ(records.size(), 1u);  // no Python reference, no Python demonstration
  EXPECT_EQ(records[0].id, "t/add/cpp");
  EXPECT_EQ(records[0].completion, "```cpp\nint add(int a, int b) {\n    return a + b;\n}\n```");
}

TEST_F(TaskFileTest, AuditComesFromTheRowOrTheFileBesideIt) {
  write("audit.jsonl", R"({"id":"t/add","audit":[{"args":[5,6],"result":11},{"args":[7,6],"result":13}]})");
  auto beside = load(function_row());
  ASSERT_TRUE(beside) << beside.error().message;
  EXPECT_EQ((*beside)[0].audit_tests.size(), 2u);
  auto inside = load(function_row("audit", {{{"args", {0, 0}}, {"result", 0}}}));
  ASSERT_TRUE(inside) << inside.error().message;
  EXPECT_EQ((*inside)[0].audit_tests.size(), 1u);
}

TEST_F(TaskFileTest, IntegersWhereFloatsAreDueBecomeFloats) {
  auto prompts = load(
      R"({"id":"x","description":"returns half.","function":{"name":"half","parameters":[{"name":"xs","type":"list[float]"}],)"
      R"("returns":"float"},"tests":[{"args":[[1,2.5]],"result":2}]})");
  ASSERT_TRUE(prompts) << prompts.error().message;
  EXPECT_TRUE((*prompts)[0].tests[0].args[0][0].is_number_float());
  EXPECT_TRUE((*prompts)[0].tests[0].result.is_number_float());
}

TEST_F(TaskFileTest, RowsOfCodeForbidNames) {
  const auto row = [](const std::string& names) {
    return R"({"prompt":"Sort.","data_source":"x","forbidden":)" + names +
           R"(,"reward_model":{"ground_truth":"{\"inputs\":[\"1\"],\"outputs\":[\"1\"]}"}})";
  };
  auto prompts = load(row(R"(["sorted","list.sort"])"));
  ASSERT_TRUE(prompts) << prompts.error().message;
  EXPECT_EQ((*prompts)[0].forbidden_names, (std::vector<std::string>{"sorted", "list.sort"}));
  EXPECT_EQ(load(row("null")).value()[0].forbidden_names.size(), 0U);
  for (const char* wrong : {"\"sorted\"", "[1]", "[\"\"]"}) {
    const auto refused = load(row(wrong));
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("tasks.jsonl:1: \"forbidden\": expected a list of names"), std::string::npos)
        << refused.error().message;
  }
  EXPECT_TRUE(load(R"({"question":"How many?","answer":"#### 7","forbidden":1})"));  // mathematics: not read
}

TEST_F(TaskFileTest, ReadsGsm8kRows) {
  auto prompts = load(R"({"question":"How many?","answer":"3 + 4 = 7\n#### 7"})");
  ASSERT_TRUE(prompts) << prompts.error().message;
  EXPECT_EQ((*prompts)[0].answer, "7");
  EXPECT_EQ((*prompts)[0].id, "tasks.jsonl:1");
}

TEST_F(TaskFileTest, ReadsVerlMaths) {
  auto prompts =
      load(R"({"data_source":"openai/gsm8k","prompt":[{"role":"user","content":"2 + 2?"}],"ability":"math",)"
           R"("reward_model":{"style":"rule","ground_truth":"4"},"extra_info":{"split":"train","index":0}})");
  ASSERT_TRUE(prompts) << prompts.error().message;
  EXPECT_EQ((*prompts)[0].domain, Domain::kMath);
  EXPECT_EQ((*prompts)[0].answer, "4");
  EXPECT_EQ((*prompts)[0].split, "rl");
  EXPECT_EQ((*prompts)[0].data_source, "openai/gsm8k");
}

TEST_F(TaskFileTest, ReadsVerlCodeWithAndWithoutAFunctionName) {
  const auto row = [](const nlohmann::json& truth) {
    return nlohmann::json{{"prompt", {{{"role", "user"}, {"content", "Solve."}}}},
                          {"data_source", "codecontests"},
                          {"reward_model", {{"ground_truth", truth.dump()}}}}
               .dump() +
           "\n";
  };
  auto prompts = load(row({{"inputs", {"1 2\n"}}, {"outputs", {"3\n"}}}) +
                      row({{"inputs", {"[]\n1.5", "[1,2]\n2"}}, {"outputs", {"0", "3"}}, {"fn_name", "total"}}) +
                      row({{"inputs", {{{1, 2}, "a"}}}, {"outputs", {{true}}}, {"fn_name", "check"}}));
  ASSERT_TRUE(prompts) << prompts.error().message;
  const PromptRecord& program = (*prompts)[0];
  EXPECT_EQ(program.function.name, "");
  EXPECT_EQ(program.tests[0].args, nlohmann::json::array({"1 2\n"}));
  EXPECT_EQ(program.tests[0].result, "3\n");
  const PromptRecord& lines = (*prompts)[1];
  EXPECT_EQ(lines.function.parameters[0].type, "list[int]");
  EXPECT_EQ(lines.function.parameters[1].type, "float");
  EXPECT_EQ(lines.tests[1].args.dump(), "[[1,2],2.0]");
  const PromptRecord& lists = (*prompts)[2];
  EXPECT_EQ(lists.function.returns, "bool");
  EXPECT_EQ(lists.tests[0].args.dump(), R"([[1,2],"a"])");
}

TEST_F(TaskFileTest, ReadsTestsThatAreCode) {
  auto prompts = load(
      R"({"task_id":601,"text":"Write a function to add.","code":"def add(a, b):\n    return a + b",)"
      R"("test_list":["assert add(1, 2) == 3","assert add(0, 0) == 0"],"test_setup_code":"import math"})"
      "\n"
      R"({"task_id":"HumanEval/0","prompt":"def twice(n):\n    'double'\n","canonical_solution":"    return 2 * n\n",)"
      R"("entry_point":"twice","test":"def check(candidate):\n    assert candidate(2) == 4\n"})"
      "\n"
      R"({"id":"own","prompt":"Write f.","test_code":["x = 1","assert f(x) == 2"],"functions":["f"],"split":"val"})"
      "\n"
      R"({"prompt":"Write g.","reward_model":{"ground_truth":"{\"assert_case\": [\"assert g() == 1\"]}"}})");
  ASSERT_TRUE(prompts.ok()) << prompts.error().message;
  ASSERT_EQ(prompts->size(), 4U);
  const PromptRecord& mbpp = (*prompts)[0];
  EXPECT_EQ(mbpp.id, "mbpp/601");
  EXPECT_EQ(mbpp.domain, Domain::kCode);
  EXPECT_EQ(mbpp.test_code.code, "assert add(1, 2) == 3\nassert add(0, 0) == 0\n");
  EXPECT_EQ(mbpp.test_code.helpers, "import math");
  EXPECT_NE(mbpp.messages[0].content.find("assert add(1, 2) == 3"), std::string::npos);
  EXPECT_EQ(mbpp.messages[0].content.find("assert add(0, 0)"), std::string::npos);
  const PromptRecord& humaneval = (*prompts)[1];
  EXPECT_EQ(humaneval.id, "HumanEval/0");
  EXPECT_EQ(humaneval.test_code.functions, std::vector<std::string>{"twice"});
  EXPECT_EQ(humaneval.reference, humaneval.test_code.helpers + "    return 2 * n\n");
  EXPECT_TRUE(humaneval.test_code.code.ends_with("check(twice)\n"));
  EXPECT_EQ((*prompts)[2].test_code.code, "x = 1\nassert f(x) == 2\n");
  EXPECT_EQ((*prompts)[2].split, "dev");
  EXPECT_EQ((*prompts)[3].test_code.code, "assert g() == 1\n");
  for (const char* bad : {R"({"prompt":"p","test_code":[]})", R"({"prompt":"p","test_code":" "})",
                          R"({"prompt":"p","test_code":"x","functions":"f"})", R"({"text":"p","test_list":[1]})",
                          R"({"test_list":["assert f"]})", R"({"prompt":"p","test":"x","entry_point":3})"}) {
    EXPECT_FALSE(load(bad).ok()) << bad;
  }
}

TEST_F(TaskFileTest, ReadsTrlRows) {
  auto prompts =
      load(R"({"prompt":"What is 2+3?","solution":"It is $\\boxed{5}$."})"
           "\n"
           R"({"prompt":[{"role":"system","content":"Be brief."},{"role":"user","content":"Hi"}],"completion":"Hello"})"
           "\n"
           R"({"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hey"}]})");
  ASSERT_TRUE(prompts) << prompts.error().message;
  EXPECT_EQ((*prompts)[0].answer, "5");
  EXPECT_EQ((*prompts)[0].domain, Domain::kMath);
  EXPECT_EQ((*prompts)[1].domain, Domain::kChat);
  EXPECT_EQ((*prompts)[1].messages.size(), 2u);
  EXPECT_EQ((*prompts)[1].reference, "Hello");
  EXPECT_EQ((*prompts)[2].messages.size(), 1u);
  EXPECT_EQ((*prompts)[2].reference, "Hey");
}

TEST_F(TaskFileTest, ACompletionIsOneReply) {
  const std::string hi = R"({"role":"user","content":"Hi"})";
  const std::string hey = R"({"role":"assistant","content":"Hey"})";
  auto one = load(R"({"prompt":"Hi","completion":[)" + hey + R"(],"solution":null,"messages":null})");
  ASSERT_TRUE(one) << one.error().message;
  EXPECT_EQ(one->front().reference, "Hey");
  for (const auto& [turns, found] : {std::pair(hey + "," + hi + "," + hey, "a list with 3 turns"),
                                     std::pair(hi + "," + hey, "a list with 2 turns"), std::pair(hi, "role user")}) {
    const std::string error = error_of(R"({"prompt":"Hi","completion":[)" + turns + "]}");
    for (const std::string part :
         {"tasks.jsonl:1: \"completion\": expected a text or a list with one assistant turn", found, "\"messages\""}) {
      EXPECT_NE(error.find(part), std::string::npos) << error;
    }
  }
  EXPECT_NE(error_of(R"({"prompt":"Hi","completion":"Hey","solution":"5"})").find("\"completion\": expected one key"),
            std::string::npos);
  const std::string both = error_of(R"({"messages":[)" + hi + R"(],"completion":"Hey"})");
  EXPECT_NE(both.find("found \"messages\" beside it; leave one of the two out"), std::string::npos) << both;
}

TEST_F(TaskFileTest, RowsWithoutIdsHaveTheFilesNameAndTheirLine) {
  const std::string rows = R"({"text":"a"})"
                           "\n\n"
                           R"({"prompt":"b"})";
  EXPECT_EQ(load(rows)->back().id, "tasks.jsonl:3");
  EXPECT_EQ(load(rows, {{}, {}, "my/tasks.jsonl"})->front().id, "my/tasks.jsonl:1");
}

TEST_F(TaskFileTest, EveryReplyOfMessagesIsTrainedOnAndOfAPromptNone) {
  const std::string turns = R"([{"role":"user","content":"Hi"},{"role":"assistant","content":"Hey"},)"
                            R"({"role":"user","content":"2+3?"})";
  auto prompts = load(R"({"messages":)" + turns + R"(,{"role":"assistant","content":"5"}]})" + "\n" + R"({"prompt":)" +
                      turns + R"(],"completion":"5"})" + "\n" +
                      R"({"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Hey"}]})");
  ASSERT_TRUE(prompts) << prompts.error().message;
  const std::vector<SftRecord> records = demonstrations(*prompts);
  ASSERT_EQ(records.size(), 3u);
  EXPECT_TRUE(records[0].every_turn);
  EXPECT_FALSE(records[1].every_turn);
  EXPECT_FALSE(records[2].every_turn);  // there is no other
  EXPECT_EQ(records[0].messages.size(), 3u);
  EXPECT_EQ(records[0].completion, "5");
}

TEST_F(TaskFileTest, ReadsPlainText) {
  auto prompts = load(R"({"text":"Once upon\na time"})"
                      "\n"
                      R"({"text":"int x;","id":"c/1","split":"validation","data_source":"c"})");
  ASSERT_TRUE(prompts) << prompts.error().message;
  EXPECT_TRUE((*prompts)[0].messages.empty());
  EXPECT_EQ((*prompts)[0].split, "sft");
  EXPECT_EQ((*prompts)[1].split, "dev");
  const std::vector<SftRecord> records = demonstrations(*prompts);
  ASSERT_EQ(records.size(), 2u);
  EXPECT_EQ(records[0].completion, "Once upon\na time");
  EXPECT_TRUE(records[0].messages.empty());
  EXPECT_EQ(records[1].source, "c");
  EXPECT_NE(error_of(R"({"text":""})").find("tasks.jsonl:1: \"text\": expected a text that is not empty"),
            std::string::npos);
}

TEST_F(TaskFileTest, RefusalsNameFileLineKeyExpectedAndFound) {
  EXPECT_EQ(error_of("\n[1]\n"), "tasks.jsonl:2: expected one JSON object a line, found array [1]");
  EXPECT_EQ(error_of("{\"a\":"), "tasks.jsonl:1: not valid JSON in UTF-8 at byte 6");
  EXPECT_EQ(error_of("{\"prompt\":\"\xff\"}").substr(0, 31), "tasks.jsonl:1: not valid JSON i");
  EXPECT_EQ(error_of(function_row("id", 5)), "tasks.jsonl:1: \"id\": expected a text, found number 5");
  EXPECT_EQ(error_of(function_row("tests", {{{"args", {1}}, {"result", 3}}})),
            "tasks.jsonl:1: \"tests[0].args\": expected a list of 2 arguments, found array [1]");
  EXPECT_EQ(error_of(function_row("tests", {{{"args", {1, true}}, {"result", 3}}})),
            "tasks.jsonl:1: \"tests[0].args[1]\": expected int, found boolean true");
  EXPECT_EQ(error_of(function_row("tests", {{{"args", {1, 2}}, {"result", 3000000000}}})),
            "tasks.jsonl:1: \"tests[0].result\": expected int, found number 3000000000");
  EXPECT_NE(error_of(function_row("tests", nlohmann::json::array())).find("at least one graded case"),
            std::string::npos);
  EXPECT_NE(error_of(function_row("languages", {"rust"})).find("\"languages\": expected"), std::string::npos);
  EXPECT_NE(error_of(function_row("function", 3)).find("\"function\": expected an object"), std::string::npos);
  EXPECT_NE(error_of(function_row() + function_row()).find("tasks.jsonl:2: \"id\": \"t/add/python\" was used before"),
            std::string::npos);
  EXPECT_NE(error_of("{\"x\":1}").find("no known row shape"), std::string::npos);
  for (const char* empty : {"", "\n \n"}) {
    EXPECT_EQ(error_of(empty), "tasks.jsonl: holds no row; expected JSON Lines, one task a line");
  }
  const auto filtered = load(function_row("languages", {"python"}), {{Language::kCpp}, {}});
  ASSERT_FALSE(filtered);
  EXPECT_NE(filtered.error().message.find("holds no task of the splits and languages"), std::string::npos);
  EXPECT_EQ(error_of(R"({"messages":[{"role":"user","content":null}]})"),
            "tasks.jsonl:1: \"messages\": \"content\": expected a text, found null");
  const auto folder = load_prompts(folder_, {});
  ASSERT_FALSE(folder);
  EXPECT_NE(folder.error().message.find("one task a line; found a folder"), std::string::npos)
      << folder.error().message;
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  const auto pipe = load_prompts(folder_ / "pipe", {});
  ASSERT_FALSE(pipe);
  EXPECT_NE(pipe.error().message.find("pipe: expected a file of JSON Lines, one task a line; found a pipe"),
            std::string::npos)
      << pipe.error().message;
  auto absent = load_prompts(folder_ / "absent.jsonl", {});
  ASSERT_FALSE(absent);
  EXPECT_NE(absent.error().message.find("absent.jsonl: no such file"), std::string::npos);
}

TEST_F(TaskFileTest, HostileInputIsRefusedWithoutHarm) {
  const std::string deep = "{\"prompt\":" + std::string(200000, '[') + std::string(200000, ']') + "}";
  EXPECT_NE(error_of(deep).find("nested deeper than"), std::string::npos);
  EXPECT_NE(error_of(std::string(200000, '[')).find("nested deeper than"), std::string::npos);
  EXPECT_NE(error_of("{\"prompt\":1e999}").find("tasks.jsonl:1"), std::string::npos);
  EXPECT_NE(error_of(std::string("\0\0\0", 3)).find("tasks.jsonl:1"), std::string::npos);
  EXPECT_NE(error_of(R"({"prompt":[{"role":"root","content":"x"}]})").find("expected system, user or assistant"),
            std::string::npos);
  EXPECT_NE(error_of(R"({"prompt":"x","reward_model":[]})").find("\"reward_model\": expected"), std::string::npos);
  EXPECT_NE(error_of(R"({"prompt":"x","reward_model":{"ground_truth":"{\"inputs\":[1],\"outputs\":[]}"}})")
                .find("lists of the same length"),
            std::string::npos);
  nlohmann::json injected = nlohmann::json::parse(function_row())["function"];
  injected["name"] = "f(); system(\"x\"); int g";
  EXPECT_NE(error_of(function_row("function", injected)).find("cannot name a function"), std::string::npos);
}

}  // namespace
}  // namespace plumb
