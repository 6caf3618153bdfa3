// The tokenizer room on standard input and output, for the scripts that compare it with other implementations.
//
// usage: tokenizer_tool ids TOKENIZER.json            a line {"text"} becomes [ids, text of the ids]
//        tokenizer_tool time TOKENIZER.json FILE N    N times FILE: {"seconds" (of processor time, the fastest),
//        "bytes", "tokens"} tokenizer_tool template                      a line {"template", "variables"} becomes
//        {"text"} or {"error"}

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iostream>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tokenizer/jinja.h"
#include "tokenizer/tokenizer.h"

namespace plumb {
namespace {

std::string read_all(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

Result<int> print_ids(const std::string& path) {
  PLUMB_ASSIGN(const Tokenizer tokenizer, Tokenizer::from_tokenizer_json(read_all(path), path));
  for (std::string line; std::getline(std::cin, line);) {
    const auto text = nlohmann::json::parse(line)["text"].get<std::string>();
    const std::vector<std::int32_t> ids = tokenizer.encode(text);
    const nlohmann::json row = {ids, tokenizer.decode_text(ids, false)};
    std::cout << row.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace) << "\n";
  }
  return 0;
}

Result<int> print_time(const std::string& path, const std::string& text_path, int repetitions) {
  PLUMB_ASSIGN(const Tokenizer tokenizer, Tokenizer::from_tokenizer_json(read_all(path), path));
  const std::string text = read_all(text_path);
  double fastest = std::numeric_limits<double>::infinity();
  std::size_t tokens = 0;
  for (int i = 0; i < repetitions; ++i) {
    const std::clock_t start = std::clock();
    tokens = tokenizer.encode(text).size();
    fastest = std::min(fastest, static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
  }
  std::cout << nlohmann::json{{"seconds", fastest}, {"bytes", text.size()}, {"tokens", tokens}}.dump() << "\n";
  return 0;
}

Result<int> print_rendered() {
  for (std::string line; std::getline(std::cin, line);) {
    const auto row = nlohmann::ordered_json::parse(line);
    nlohmann::json answer;
    const auto jinja = JinjaTemplate::parse(row["template"].get<std::string>());
    const auto text = jinja ? jinja->render(row["variables"], {}) : Result<std::string>(jinja.error());
    answer[text ? "text" : "error"] = text ? *text : text.error().message;
    std::cout << answer.dump() << "\n";
  }
  return 0;
}

Result<int> run(const std::vector<std::string>& arguments) {
  const std::string what = arguments.empty() ? "" : arguments[0];
  if (what == "ids" && arguments.size() == 2) {
    return print_ids(arguments[1]);
  }
  if (what == "time" && arguments.size() == 4) {
    return print_time(arguments[1], arguments[2], std::max(1, std::atoi(arguments[3].c_str())));
  }
  if (what == "template" && arguments.size() == 1) {
    return print_rendered();
  }
  return Error{"usage: tokenizer_tool ids TOKENIZER.json | time TOKENIZER.json FILE N | template"};
}

}  // namespace
}  // namespace plumb

int main(int argc, char** argv) {
  const auto done = plumb::run({argv + 1, argv + argc});
  if (!done) {
    std::fprintf(stderr, "tokenizer_tool: %s\n", done.error().message.c_str());
    return 1;
  }
  return *done;
}
