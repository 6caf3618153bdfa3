#include "apps/plumb/sft_examples.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/rng.h"
#include "learner/fim.h"

namespace plumb {
namespace {

constexpr std::string_view kWhiteSpace = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of(kWhiteSpace), text.size());
  return text.substr(begin, text.find_last_not_of(kWhiteSpace) + 1 - begin);
}

// Where an earlier reply stands in the text of its conversation.
struct Reply {
  std::size_t begin = 0;
  std::size_t end = 0;       // of what the template made of the content
  std::int32_t end_id = -1;  // the token that ends the turn, whose text follows
};

// The reply that the conversation's `text` has after `before`, its text up to the start of that turn. Templates may put
// white space around a content or take it away; nothing else may stand there than where the reply was sampled.
Result<Reply> find_reply(const std::string& text, const std::string& before, const std::string& content,
                         const Tokenizer& tokenizer) {
  const auto skip = [&](std::size_t at) { return std::min(text.find_first_not_of(kWhiteSpace, at), text.size()); };
  const std::string_view words = trimmed(content);
  const std::size_t at = text.starts_with(before) ? skip(before.size()) : std::string::npos;
  if (at == std::string::npos || text.compare(at, words.size(), words) != 0) {
    return Error{
        "the chat template shows an earlier reply otherwise than as it is written, so the loss cannot be on it; give "
        "the row as \"prompt\" (the turns before) and \"completion\" (the last reply alone)"};
  }
  const std::size_t end = skip(at + words.size());
  for (const std::int32_t id : tokenizer.end_ids()) {
    const std::string_view marker = tokenizer.token_bytes(id);
    if (text.compare(end, marker.size(), marker) == 0) {
      return Reply{before.size(), end, id};
    }
  }
  return Error{
      "the chat template puts no end-of-turn token of the model behind an earlier reply, so the loss cannot be on it; "
      "give the row as \"prompt\" (the turns before) and \"completion\" (the last reply alone)"};
}

Result<SftExample> from_turns(const SftRecord& record, const Workbench& bench) {
  const Tokenizer& tokenizer = bench.tokenizer();
  PLUMB_ASSIGN(const std::string text, bench.chat_template().render(record.messages, true));
  SftExample example;
  std::size_t done = 0;
  for (std::size_t turn = 0; record.every_turn && turn < record.messages.size(); ++turn) {
    const Message& message = record.messages[turn];
    if (message.role != "assistant") {
      continue;
    }
    PLUMB_ASSIGN(const std::string before, bench.chat_template().render(std::span(record.messages).first(turn), true));
    PLUMB_ASSIGN(const Reply reply, find_reply(text, before, message.content, tokenizer));
    example.add(tokenizer.encode(std::string_view(text).substr(done, reply.begin - done)), false);
    example.add(tokenizer.encode(std::string_view(text).substr(reply.begin, reply.end - reply.begin), false), true);
    example.add({{reply.end_id}}, true);
    done = reply.end + tokenizer.token_bytes(reply.end_id).size();
  }
  example.add(tokenizer.encode(std::string_view(text).substr(done)), false);
  example.add(tokenizer.encode(record.completion, false), true);
  example.add({{tokenizer.eos_id()}}, true);
  return example;
}

// An example of the tokens of a text.
SftExample from_text(std::span<const std::int32_t> ids, const Tokenizer& tokenizer) {
  SftExample example;
  example.add(tokenizer.with_special_tokens(ids), false);
  if (example.tokens.empty() || example.tokens.back() != tokenizer.eos_id()) {
    example.add({{tokenizer.eos_id()}}, false);
  }
  example.train_all();
  return example;
}

Result<SftExample> tokenise(const SftRecord& record, SftLossOn loss_on, Workbench& bench) {
  if (bench.tokenizer().eos_id() < 0) {
    return Error{"the tokenizer names no end-of-sequence token, which ends what is learned from"};
  }
  SftExample example;
  if (record.messages.empty()) {
    example = from_text(bench.tokenizer().encode(record.completion, false), bench.tokenizer());
  } else {
    PLUMB_ASSIGN(example, from_turns(record, bench));
  }
  if (example.tokens.size() < 2) {
    return Error{"the tokenizer makes no token of the text; leave the row out"};
  }
  if (loss_on == SftLossOn::kAll) {
    example.train_all();
  }
  if (std::ssize(example.tokens) > bench.policy().config().max_positions) {
    return Error{fmt::format("expected at most {} tokens, the model's context; found {}; cut the row into several",
                             bench.policy().config().max_positions, example.tokens.size())};
  }
  return example;
}

}  // namespace

SftSources number_sources(std::span<const SftRecord> train, std::span<const SftRecord> dev) {
  SftSources sources;
  int next = 0;
  for (const std::span<const SftRecord> records : {train, dev}) {
    SftSources found;
    for (const SftRecord& record : records) {
      found[record.source] = 0;
    }
    for (const auto& [name, number] : found) {
      next += sources.emplace(name, next).second ? 1 : 0;
    }
  }
  return sources;
}

Result<std::vector<SftExample>> tokenise_records(std::span<const SftRecord> records, const SftSources& sources,
                                                 SftLossOn loss_on, Workbench& bench) {
  std::vector<SftExample> examples;
  for (const SftRecord& record : records) {
    auto example = tokenise(record, loss_on, bench);
    if (!example) {
      return example.error().with_context((record.messages.empty() ? "text '" : "demonstration '") + record.id + "'");
    }
    example->source = sources.at(record.source);
    examples.push_back(std::move(example).value());
  }
  return examples;
}

Result<SftForms> fim_forms(std::span<const SftRecord> records, const SftSources& sources, const Settings& settings,
                           Workbench& bench) {
  if (settings.sft.fim_rate == 0) {
    return SftForms();
  }
  if (std::ranges::none_of(records, [](const SftRecord& record) { return record.messages.empty(); })) {
    return Error{"sft.fim_rate: expected rows of plain text to cut (\"text\"), found none; set it to 0"};
  }
  const auto sentinels = find_fim_sentinels(bench.tokenizer());
  if (!sentinels) {
    return sentinels.error().with_context("sft.fim_rate");
  }
  const FimRates rates{settings.sft.fim_rate, settings.sft.fim_spm_rate};
  return SftForms([records, &sources, rates, sentinels = *sentinels, &bench, seed = settings.run.seed](
                      std::size_t number, int epoch) -> std::optional<SftExample> {
    const SftRecord& record = records[number];
    const RngStream stream(RngPurpose::kData, seed, stable_hash("sft fim"), static_cast<std::uint32_t>(epoch),
                           static_cast<std::uint32_t>(number));
    const auto cut = record.messages.empty() ? draw_fim_cut(record.completion, rates, stream) : std::nullopt;
    if (!cut) {
      return std::nullopt;
    }
    SftExample form = from_text(fim_ids(record.completion, *cut, sentinels, bench.tokenizer()), bench.tokenizer());
    form.source = sources.at(record.source);
    return std::ssize(form.tokens) > bench.policy().config().max_positions ? std::nullopt : std::optional(form);
  });
}

}  // namespace plumb
