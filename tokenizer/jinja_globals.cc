// The global functions of chat templates, and JinjaTemplate itself.

#include <array>
#include <ctime>
#include <nlohmann/json.hpp>
#include <utility>

#include "tokenizer/jinja_interpreter.h"

namespace plumb {
namespace {

constexpr std::int64_t kMaxRange = 100'000;  // as Jinja's sandbox has it

JinjaValue range(const JinjaArguments& given) {
  given.check(3, {});
  const bool only_stop = given.values.size() == 1;
  const std::int64_t start = only_stop ? 0 : given.need(0, "start").integer("range");
  const std::int64_t stop = given.need(only_stop ? 0 : 1, "stop").integer("range");
  const std::int64_t step = given.values.size() > 2 ? given.values[2].integer("range") : 1;
  if (step == 0) {
    throw JinjaFailure{"the step of a range is 0"};
  }
  JinjaList list;
  for (std::int64_t at = start; step > 0 ? at < stop : at > stop;) {
    if (static_cast<std::int64_t>(list.size()) >= kMaxRange) {
      throw JinjaFailure{"a range has more than " + std::to_string(kMaxRange) + " numbers"};
    }
    list.emplace_back(at);
    if (__builtin_add_overflow(at, step, &at)) {
      break;
    }
  }
  return list;
}

JinjaDict members(const JinjaArguments& given) {
  JinjaDict dict;
  if (!given.values.empty()) {
    if (given.values.size() > 1 || given.values[0].dict() == nullptr) {
      throw JinjaFailure{"a dictionary or namespace is made of one dictionary and named values"};
    }
    dict = *given.values[0].dict();
  }
  for (const auto& [name, value] : given.named) {
    jinja_set(dict, name, value);
  }
  return dict;
}

std::string date(const std::string& format, std::int64_t unix_time) {
  const auto seconds = static_cast<std::time_t>(unix_time);
  std::tm parts{};
  if (gmtime_r(&seconds, &parts) == nullptr || format.size() > 200) {
    throw JinjaFailure{"strftime_now cannot write this date"};
  }
  std::array<char, 4096> buffer{};
  return {buffer.data(), std::strftime(buffer.data(), buffer.size(), format.c_str(), &parts)};
}

}  // namespace

JinjaValue JinjaInterpreter::call_global(const std::string& name, const JinjaArguments& given) {
  if (name == "range") {
    JinjaValue made = range(given);
    spend(8 * made.list()->size());
    return made;
  }
  if (name == "dict") {
    return members(given);
  }
  if (name == "namespace") {
    spend(256);
    return &namespaces_.emplace_back(JinjaNamespace{members(given)});
  }
  if (name == "strftime_now") {
    return date(given.need(0, "format").text("strftime_now"), options_.unix_time);
  }
  throw JinjaFailure{"the template refuses: " + given.need(0, "message").str()};
}

Result<JinjaTemplate> JinjaTemplate::parse(std::string_view source) {
  PLUMB_ASSIGN(auto root, parse_jinja(source));
  return JinjaTemplate(std::shared_ptr<const JinjaNode>(std::move(root)));
}

Result<std::string> JinjaTemplate::render(const nlohmann::ordered_json& variables, const JinjaOptions& options) const {
  try {
    return JinjaInterpreter(options).run(*root_, jinja_from_json(variables));
  } catch (const JinjaFailure& failure) {
    return Error{failure.message};
  }
}

}  // namespace plumb
