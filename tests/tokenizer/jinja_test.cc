// The interpreter against Jinja2 (tests/golden/make_chat_families.py), and what bounds it.

#include "tokenizer/jinja.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/support/model_files.h"

namespace plumb {
namespace {

using nlohmann::ordered_json;

const ordered_json& golden() {
  static const ordered_json whole =
      ordered_json::parse(testing::read_text(std::string(PLUMB_SOURCE_DIR) + "/tests/golden/chat_families.json"));
  return whole;
}

Result<std::string> render(const std::string& text, const ordered_json& variables, const JinjaOptions& options = {}) {
  const auto program = JinjaTemplate::parse(text);
  return program ? program->render(variables, options) : Result<std::string>(program.error());
}

// Jinja2's text; null where it raises.
void expect(const std::string& text, const ordered_json& variables, const ordered_json& expected) {
  const auto made = render(text, variables);
  if (expected.is_null()) {
    EXPECT_FALSE(made.ok()) << text << "\n" << *made;
  } else if (made) {
    EXPECT_EQ(*made, expected.get<std::string>()) << text;
  } else {
    ADD_FAILURE() << text << "\n" << made.error().message;
  }
}

TEST(Jinja, RendersTheFamiliesLikeJinja2) {
  for (const auto& row : golden()["rows"]) {
    SCOPED_TRACE(row["template"].get<std::string>());
    expect(golden()["templates"][row["template"].get<std::string>()].get<std::string>(), row["variables"], row["text"]);
  }
  EXPECT_EQ(golden()["rows"].size(), 210U);
}

TEST(Jinja, EvaluatesLikeJinja2) {
  for (const auto& pair : golden()["expressions"]) {
    expect(pair[0].get<std::string>(), golden()["shared"], pair[1]);
  }
  EXPECT_GE(golden()["expressions"].size(), 300U);
}

TEST(Jinja, EndsWhateverLoops) {
  JinjaOptions options;
  options.max_steps = 100'000;  // of five millions, for the time that this test takes
  for (const std::string text :
       {"{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% macro m(n) %}{{ m(n + 1) ~ m(n + 1) }}{% endmacro %}{{ m(0) }}",
        "{% set ns = namespace(x='aaaaaaaa') %}{% for i in range(99) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
        "{% set ns = namespace(x=[1]) %}{% for i in range(99) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x }}",
        "{% set ns = namespace(x=[1]) %}{% for i in range(9999) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}",
        "{% set ns = namespace(x=[1]) %}{% for i in range(99) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
        "{{ 'a' * 99999999 * 99999999 }}", "{{ [1] * 99999999 }}", "{{ ('a' * 999999)|replace('', 'b' * 999999) }}",
        "{{ ('a ' * 999999)|join('b' * 999999) }}", "{{ ['x'] | map('indent', 'b' * 9999999) | list }}"}) {
    const auto made = render(text, ordered_json::object(), options);
    EXPECT_FALSE(made.ok()) << text;
  }
}

TEST(Jinja, BoundsTheDepthOfPrograms) {
  const auto many = [](const std::string& part, int count) {
    std::string text;
    for (int i = 0; i < count; ++i) {
      text += part;
    }
    return text;
  };
  for (const std::string& text :
       {"{{ " + many("(", 5000) + "1" + many(")", 5000) + " }}", "{{ " + many("not ", 5000) + "1 }}",
        "{{ 1" + many(" + 1", 5000) + " }}", "{{ a" + many(".a", 5000) + " }}", "{{ a" + many("|trim", 5000) + " }}",
        "{{ " + many("-", 5000) + "1 }}", "{{ 1" + many(" if 1 else 1", 5000) + " }}",
        many("{% if 1 %}", 5000) + many("{% endif %}", 5000), "{% if 1 %}" + many("{% elif 1 %}", 5000) + "{% endif %}",
        "{{ " + many("[", 5000) + many("]", 5000) + " }}"}) {
    EXPECT_FALSE(render(text, ordered_json::object()).ok()) << text.substr(0, 40);
  }
  EXPECT_EQ(render("{{ 1" + many(" + 1", 200) + " }}", ordered_json::object()).value(), "201");
}

TEST(Jinja, BlocksInMacrosCountAsDepth) {
  std::string blocks = "{{ m(n) }}";
  for (int i = 0; i < 100; ++i) {
    blocks = "{% if true %}" + blocks + "{% endif %}";
  }
  const auto made = render("{% macro m(n) %}" + blocks + "{% endmacro %}{{ m(1) }}", ordered_json::object());
  ASSERT_FALSE(made.ok());
  EXPECT_NE(made.error().message.find("nests too deep"), std::string::npos) << made.error().message;
}

TEST(Jinja, ABreakInALoopsElseLeavesTheLoopAround) {
  EXPECT_EQ(render("{% for a in [1,2] %}{{ a }}{% for b in [] %}{% else %}{% break %}{% endfor %}x{% endfor %}",
                   ordered_json::object())
                .value(),
            "1");
}

TEST(Jinja, WhatWouldBeIgnoredIsRefused) {
  for (const char* text :
       {"{{ 'ff'|int(base=16) }}", "{{ 'x'|tojson(ensure_ascii=true) }}", "{{ (-9223372036854775807 - 1)|abs }}"}) {
    EXPECT_FALSE(render(text, ordered_json::object()).ok()) << text;
  }
  EXPECT_EQ(render("{{ -3|abs }}{{ '7'|int(base=10) }}", ordered_json::object()).value(), "37");
}

TEST(Jinja, CountsSteps) {
  JinjaOptions options;
  options.max_steps = 1000;
  const std::string text = "{% for a in l %}{{ a }}{% endfor %}";
  EXPECT_TRUE(render(text, {{"l", ordered_json(std::vector<int>(100, 1))}}, options).ok());
  const auto over = render(text, {{"l", ordered_json(std::vector<int>(1000, 1))}}, options);
  ASSERT_FALSE(over.ok());
  EXPECT_NE(over.error().message.find("1000 steps"), std::string::npos) << over.error().message;
}

TEST(Jinja, ErrorsNameTheLineAndTheThing) {
  const auto message = [](const std::string& text) {
    const auto made = render(text, {{"n", 1}});
    return made ? "accepted: " + *made : made.error().message;
  };
  EXPECT_EQ(message("a\nb {% include 'x' %}"), "line 2: the statement 'include' is not supported");
  EXPECT_EQ(message("{{ n|nosuch }}"), "line 1: the filter 'nosuch' is not supported");
  EXPECT_EQ(message("{{ n is nosuch }}"), "line 1: the test 'nosuch' is not supported");
  EXPECT_EQ(message("\n\n{% if n %}"), "line 3: a block is not closed; 'endif' is missing");
  EXPECT_EQ(message("{{ gone.x }}"), "the undefined 'gone' has no 'x'");
  EXPECT_EQ(message("{{ [n].append(2) }}"), "the method 'append' would change a value, which templates may not");
}

TEST(Jinja, IllFormedTextPassesThrough) {
  EXPECT_EQ(render("{{ '\xff' ~ x|upper }}\xfe", {{"x", "a"}}).value(),
            "\xff"
            "A\xfe");
}

}  // namespace
}  // namespace plumb
