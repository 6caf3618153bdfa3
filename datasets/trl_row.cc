#include <algorithm>

#include "datasets/other_rows.h"

namespace plumb {

namespace {

/// Takes the last assistant turn off the conversation, if it ends in one.
std::string take_last_reply(std::vector<Message>& messages) {
  if (messages.empty() || messages.back().role != "assistant") {
    return {};
  }
  std::string reply = std::move(messages.back().content);
  messages.pop_back();
  return reply;
}

/// A second key that says what the reply is would be dropped, and nobody would know which of the two was learned from.
Result<void> refuse_two_replies(const Row& row) {
  for (const char* other : {"messages", "solution"}) {
    const auto holds = [&](const char* key) { return row.has(key) && !row.json[key].is_null(); };
    if (holds("completion") && holds(other)) {
      return row.refuse("completion", std::string("expected one key with the reply, found \"") + other +
                                          "\" beside it; leave one of the two out");
    }
  }
  return {};
}

/// The reply at "completion": a text, or a list with one assistant turn.
Result<std::string> completion_text(const Row& row) {
  if (!row.has("completion")) {
    return std::string();
  }
  if (row.json["completion"].is_string()) {
    return row.json["completion"].get<std::string>();
  }
  PLUMB_ASSIGN(std::vector<Message> turns, read_messages(row, "completion"));
  if (turns.size() != 1 || turns.front().role != "assistant") {
    const std::string found = turns.size() == 1 ? "a turn of the role " + turns.front().role
                                                : "a list with " + std::to_string(turns.size()) + " turns";
    return row.refuse("completion", "expected a text or a list with one assistant turn, found " + found +
                                        "; put the turns before the reply into \"prompt\", or give all of them as "
                                        "\"messages\", of which every reply is learned from");
  }
  return take_last_reply(turns);
}

/// A list of constraints (reward/rules/constraints.h) as the text it is kept as, else a text or a number.
Result<std::string> answer_text(const Row& row) {
  const auto found = row.json.find("answer");
  if (found != row.json.end() && found->is_array()) {
    return found->dump();
  }
  return optional_text_or_number(row, "answer");
}

/// "answer", or else the final answer of "solution"; a solution is the reference. "answer_type" says how responses are
/// compared with it.
Result<void> read_solution(const Row& row, PromptRecord& prompt) {
  PLUMB_ASSIGN(const std::string solution, optional_text(row, "solution", ""));
  PLUMB_ASSIGN(const std::string type, optional_text(row, "answer_type", "math"));
  if (type != "math" && type != "text") {
    return row.refuse("answer_type", "expected math or text, found \"" + type + "\"");
  }
  PLUMB_ASSIGN(const std::string answer, type == "text" ? answer_text(row) : optional_text_or_number(row, "answer"));
  const std::string& source = answer.empty() ? solution : answer;
  if (source.empty()) {
    return {};
  }
  prompt.domain = type == "math" ? Domain::kMath : Domain::kChat;
  const bool as_it_stands = type == "text" && !answer.empty();
  prompt.answer = as_it_stands ? answer : final_answer(source).value_or(source);
  if (!solution.empty()) {
    prompt.reference = solution;
  }
  return {};
}

}  // namespace

Result<std::vector<Message>> read_messages(const Row& row, const char* key) {
  const auto found = row.json.find(key);
  if (found == row.json.end()) {
    return row.refuse(key, "this key is missing; expected a text or a list of {\"role\", \"content\"}");
  }
  if (found->is_string()) {
    return std::vector<Message>{{"user", found->get<std::string>()}};
  }
  if (!found->is_array() || found->empty()) {
    return row.refuse(key, "expected a text or a list of {\"role\", \"content\"}, found " + describe(*found));
  }
  std::vector<Message> messages;
  for (const nlohmann::json& turn : *found) {
    if (!turn.is_object()) {
      return row.refuse(key, "expected {\"role\", \"content\"}, found " + describe(turn));
    }
    const Row inner{row.place + ": \"" + key + "\"", turn};
    PLUMB_ASSIGN(std::string role, required_text(inner, "role"));
    PLUMB_ASSIGN(std::string content, required_text(inner, "content"));
    if (role != "system" && role != "user" && role != "assistant") {
      return inner.refuse("role", "expected system, user or assistant, found \"" + role + "\"");
    }
    messages.push_back({std::move(role), std::move(content)});
  }
  return messages;
}

Result<PromptRecord> read_trl_row(const Row& row) {
  PLUMB_TRY(refuse_two_replies(row));
  PromptRecord prompt;
  prompt.domain = Domain::kChat;
  PLUMB_ASSIGN(prompt.id, optional_text(row, "id", row.default_id()));
  PLUMB_ASSIGN(prompt.split, optional_text(row, "split", "rl"));
  PLUMB_ASSIGN(prompt.data_source, optional_text(row, "data_source", "user"));
  PLUMB_ASSIGN(prompt.license, optional_text(row, "license", "NOASSERTION"));
  prompt.family = prompt.id;
  prompt.split = split_name(prompt.split);
  PLUMB_ASSIGN(prompt.messages, read_messages(row, row.has("prompt") ? "prompt" : "messages"));
  if (row.has("prompt")) {
    PLUMB_ASSIGN(prompt.reference, completion_text(row));
  } else {
    prompt.reference = take_last_reply(prompt.messages);
    prompt.trains_every_turn =
        std::ranges::any_of(prompt.messages, [](const Message& turn) { return turn.role == "assistant"; });
  }
  if (prompt.messages.empty()) {
    return row.refuse("messages", "expected a user turn before the reply");
  }
  PLUMB_TRY(read_solution(row, prompt));
  return prompt;
}

}  // namespace plumb
