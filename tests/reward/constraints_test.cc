#include "reward/rules/constraints.h"

#include <gtest/gtest.h>

#include "reward/rules/answer_match.h"

namespace plumb {
namespace {

using nlohmann::json;

bool kept(const std::string& id, const json& args, const std::string& text) {
  const auto report = check_constraints(json::array({{{"instruction_id", id}, {"kwargs", args}}}), text);
  EXPECT_TRUE(report.ok()) << report.error().message;
  return report.ok() && report->kept == 1;
}

// Each id with a text that keeps it and one that just does not.
TEST(Constraints, EachIsKeptAndBroken) {
  const struct {
    const char* id;
    json args;
    const char* keeps;
    const char* breaks;
  } cases[] = {
      {"keywords:existence", {{"keywords", {"cat", "dog"}}}, "A Cat, a dog.", "A category of dogs."},
      {"keywords:forbidden_words", {{"forbidden_words", {"cat"}}}, "category", "my CAT!"},
      {"keywords:frequency", {{"keyword", "a b"}, {"frequency", 2}, {"relation", "at least"}}, "a b, a b", "a b ab"},
      {"keywords:frequency", {{"keyword", "x"}, {"frequency", 2}, {"relation", "less than"}}, "x y", "x x"},
      {"keywords:letter_frequency", {{"letter", "z"}, {"let_frequency", 2}, {"let_relation", "at least"}}, "Zz", "z"},
      {"length_constraints:number_words", {{"num_words", 3}, {"relation", "at least"}}, "one two's three", "one, two"},
      {"length_constraints:number_sentences", {{"num_sentences", 2}, {"relation", "less than"}}, "One 3.5.", "A. B!"},
      {"length_constraints:number_paragraphs", {{"num_paragraphs", 2}}, "a\n***\nb", "a\n***\n"},
      {"length_constraints:nth_paragraph_first_word",
       {{"num_paragraphs", 2}, {"nth_paragraph", 2}, {"first_word", "so"}},
       "A.\n\n\"So it is\"",
       "A.\n\nB.\n\nSo."},
      {"detectable_content:number_placeholders", {{"num_placeholders", 2}}, "[a] and [b c]", "[a] and []"},
      {"detectable_content:postscript", {{"postscript_marker", "P.S."}}, "x\np.s. y", "x PS y"},
      {"detectable_format:number_bullet_lists", {{"num_bullets", 2}}, "* a\n- b", "* a\n- b\n- c"},
      {"detectable_format:constrained_response", json::object(), "My answer is maybe.", "Yes."},
      {"detectable_format:number_highlighted_sections", {{"num_highlights", 2}}, "*a* b *c d*", "*a* b * *"},
      {"detectable_format:multiple_sections",
       {{"section_spliter", "Section"}, {"num_sections", 2}},
       "Section 1 a Section 2 b",
       "Section 1"},
      {"detectable_format:json_format", json::object(), "```json\n{\"a\": [1]}\n```", "{'a': 1}"},
      {"detectable_format:title", json::object(), "<<A title>> x", "<<>> x"},
      {"combination:two_responses", json::object(), "a\n******\nb", "a******a"},
      {"combination:repeat_prompt", {{"prompt_to_repeat", "Say A."}}, " say a. Yes", "Yes. Say A."},
      {"startend:end_checker", {{"end_phrase", "The end."}}, "x. THE END.\n", "The end. x"},
      {"startend:quotation", json::object(), "\"x\"", "\"x"},
      {"change_case:capital_word_frequency",
       {{"capital_frequency", 2}, {"capital_relation", "at least"}},
       "AB CD",
       "Ab CD"},
      {"change_case:english_capital", json::object(), "ALL 1!", "ALl"},
      {"change_case:english_lowercase", json::object(), "all 1!", "aLl"},
      {"punctuation:no_comma", json::object(), "a; b", "a, b"},
  };
  for (const auto& one : cases) {
    EXPECT_TRUE(kept(one.id, one.args, one.keeps)) << one.id << ": " << one.keeps;
    EXPECT_FALSE(kept(one.id, one.args, one.breaks)) << one.id << ": " << one.breaks;
    EXPECT_FALSE(kept(one.id, one.args, " \n")) << one.id;
  }
}

TEST(Constraints, WhatCannotBeCheckedIsAnError) {
  for (const json& list :
       {json(), json::array(), json::array({1}), json::array({{{"instruction_id", "language:response_language"}}}),
        json::array({{{"instruction_id", "length_constraints:number_words"}}})}) {
    EXPECT_FALSE(check_constraints(list, "text").ok()) << list;
  }
}

TEST(AnswerPart, LettersTextsAndInstructions) {
  PromptRecord prompt;
  prompt.domain = Domain::kChat;
  prompt.answer = "B";
  for (const char* right : {"B", "(b)", "**B**.", "B) because", "I think so.\nAnswer: B", "\\boxed{\\text{B}}"}) {
    EXPECT_EQ(answer_part(prompt, right)->value, 1) << right;
  }
  for (const char* wrong : {"A", "Because", "B good", "", "\\boxed{C} Answer: B", "Answer: Bob"}) {
    EXPECT_EQ(answer_part(prompt, wrong)->value, 0) << wrong;
  }
  prompt.answer = "Paris";
  EXPECT_EQ(answer_part(prompt, " Paris\n")->value, 1);
  EXPECT_EQ(answer_part(prompt, "Answer: Paris")->value, 1);
  EXPECT_EQ(answer_part(prompt, "Paris, Texas")->value, 0);
  prompt.answer = R"([{"instruction_id": "punctuation:no_comma"}, {"instruction_id": "startend:quotation"}])";
  EXPECT_EQ(answer_part(prompt, "\"x\"")->value, 1);
  EXPECT_EQ(answer_part(prompt, "x")->reason, "1 of 2 kept; broken: startend:quotation");
  prompt.answer = "";
  EXPECT_FALSE(answer_part(prompt, "x").ok());
}

}  // namespace
}  // namespace plumb
