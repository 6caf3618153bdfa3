#include "actor/processes/messages.h"

#include <cstring>
#include <type_traits>

namespace plumb::internal {
namespace {

using nlohmann::json;

// The bits of numbers, one after the other; both ends are of this machine.
template <typename T>
json pack(const std::vector<T>& values) {
  static_assert(std::is_trivially_copyable_v<T>);
  std::vector<std::uint8_t> bytes(values.size() * sizeof(T));
  if (!bytes.empty()) {
    std::memcpy(bytes.data(), values.data(), bytes.size());
  }
  return json::binary(std::move(bytes));
}

template <typename T>
std::vector<T> unpack(const json& packed) {
  const auto& bytes = packed.get_binary();
  std::vector<T> values(bytes.size() / sizeof(T));
  if (!values.empty()) {
    std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
  }
  return values;
}

// Of any bytes: a completion that was cut may end within a character.
json pack_text(const std::string& text) {
  return pack(std::vector<char>(text.begin(), text.end()));
}

std::string unpack_text(const json& packed) {
  const auto bytes = unpack<char>(packed);
  return {bytes.begin(), bytes.end()};
}

json pack_texts(const std::vector<std::string>& texts) {
  json list = json::array();
  for (const std::string& text : texts) {
    list.push_back(pack_text(text));
  }
  return list;
}

std::vector<std::string> unpack_texts(const json& list) {
  std::vector<std::string> texts;
  for (const json& text : list) {
    texts.push_back(unpack_text(text));
  }
  return texts;
}

json sampling_to_json(const SamplingOptions& o) {
  json bad_words = json::array();
  for (const auto& word : o.bad_words) {
    bad_words.push_back(pack(word));
  }
  json bias = json::array();
  for (const auto& [id, value] : o.logit_bias) {
    bias.push_back({id, value});
  }
  return {{"temperature", o.temperature},
          {"top_k", o.top_k},
          {"top_p", o.top_p},
          {"min_p", o.min_p},
          {"typical_p", o.typical_p},
          {"kept_by_id", o.kept_by_id},
          {"repetition_penalty", o.repetition_penalty},
          {"presence_penalty", o.presence_penalty},
          {"frequency_penalty", o.frequency_penalty},
          {"logit_bias", std::move(bias)},
          {"bad_words", std::move(bad_words)},
          {"min_new_tokens", o.min_new_tokens},
          {"max_new_tokens", o.max_new_tokens},
          {"stop_after_code_block", o.stop_after_code_block},
          {"stop", pack_texts(o.stop)},
          {"stop_token_ids", pack(o.stop_token_ids)}};
}

SamplingOptions sampling_from_json(const json& j) {
  SamplingOptions o;
  o.temperature = j.at("temperature");
  o.top_k = j.at("top_k");
  o.top_p = j.at("top_p");
  o.min_p = j.at("min_p");
  o.typical_p = j.at("typical_p");
  o.kept_by_id = j.at("kept_by_id");
  o.repetition_penalty = j.at("repetition_penalty");
  o.presence_penalty = j.at("presence_penalty");
  o.frequency_penalty = j.at("frequency_penalty");
  for (const json& pair : j.at("logit_bias")) {
    o.logit_bias.emplace_back(pair.at(0), pair.at(1));
  }
  for (const json& word : j.at("bad_words")) {
    o.bad_words.push_back(unpack<std::int32_t>(word));
  }
  o.min_new_tokens = j.at("min_new_tokens");
  o.max_new_tokens = j.at("max_new_tokens");
  o.stop_after_code_block = j.at("stop_after_code_block");
  o.stop = unpack_texts(j.at("stop"));
  o.stop_token_ids = unpack<std::int32_t>(j.at("stop_token_ids"));
  return o;
}

json kept_to_json(const KeptSet& kept) {
  json j = {{"low", kept.low}, {"low_last_id", kept.low_last_id}, {"high", kept.high}};
  if (kept.ids != nullptr) {
    j["ids"] = pack(kept.ids->words());
  }
  return j;
}

KeptSet kept_from_json(const json& j) {
  KeptSet kept;
  kept.low = j.at("low");
  kept.low_last_id = j.at("low_last_id");
  kept.high = j.at("high");
  if (j.contains("ids")) {
    kept.ids = std::make_shared<const TokenSet>(unpack<std::uint64_t>(j.at("ids")));
  }
  return kept;
}

Completion completion_from_json(const json& j) {
  Completion c;
  c.token_ids = unpack<std::int32_t>(j.at("token_ids"));
  c.log_probs = unpack<float>(j.at("log_probs"));
  c.weight_versions = unpack<std::int64_t>(j.at("weight_versions"));
  for (const json& kept : j.at("kept")) {
    c.kept.push_back(kept_from_json(kept));
  }
  const json& stream = j.at("stream");
  c.stream = {stream.at(0), stream.at(1), stream.at(2), stream.at(3)};
  c.finish_reason = static_cast<FinishReason>(j.at("finish_reason").get<int>());
  c.text = unpack_text(j.at("text"));
  return c;
}

}  // namespace

std::string to_frame(const json& message) {
  std::string bytes;
  json::to_cbor(message, bytes);
  return bytes;
}

Result<json> from_frame(std::string_view bytes) {
  json message = json::from_cbor(bytes.begin(), bytes.end(), true, false);
  if (!message.is_object() || !message.contains("kind") || !message["kind"].is_string()) {
    return Error{"a message between learner and actor is damaged: no CBOR object with a \"kind\""};
  }
  return message;
}

json generate_message(std::uint64_t job, const GeneratorOptions& options,
                      const std::vector<GenerationRequest>& requests) {
  json list = json::array();
  for (const GenerationRequest& request : requests) {
    json one = {{"prompt", pack_text(request.prompt ? request.prompt->id : "")},
                {"prompt_token_ids", pack(request.prompt_token_ids)},
                {"draw", request.draw},
                {"num_samples", request.num_samples}};
    if (request.sampling) {
      one["sampling"] = sampling_to_json(*request.sampling);
    }
    list.push_back(std::move(one));
  }
  return {{"kind", "generate"},
          {"job", job},
          {"options",
           {{"sampling", sampling_to_json(options.sampling)},
            {"purpose", static_cast<std::uint32_t>(options.purpose)},
            {"seed", options.seed},
            {"max_batch", options.max_batch},
            {"cache_bytes", options.cache_bytes},
            {"prefill_chunk", options.prefill_chunk},
            {"keep_cache", options.keep_cache}}},
          {"requests", std::move(list)}};
}

Result<GenerateJob> read_generate_message(const json& message) {
  try {
    GenerateJob job;
    job.job = message.at("job");
    const json& options = message.at("options");
    job.options.sampling = sampling_from_json(options.at("sampling"));
    job.options.purpose = static_cast<RngPurpose>(options.at("purpose").get<std::uint32_t>());
    job.options.seed = options.at("seed");
    job.options.max_batch = options.at("max_batch");
    job.options.cache_bytes = options.at("cache_bytes");
    job.options.prefill_chunk = options.at("prefill_chunk");
    job.options.keep_cache = options.at("keep_cache");
    for (const json& one : message.at("requests")) {
      auto prompt = std::make_shared<PromptRecord>();
      prompt->id = unpack_text(one.at("prompt"));
      GenerationRequest request;
      request.prompt = std::move(prompt);
      request.prompt_token_ids = unpack<std::int32_t>(one.at("prompt_token_ids"));
      request.draw = one.at("draw");
      request.num_samples = one.at("num_samples");
      if (one.contains("sampling")) {
        request.sampling = sampling_from_json(one.at("sampling"));
      }
      job.requests.push_back(std::move(request));
    }
    return job;
  } catch (const json::exception& error) {
    return Error{std::string("a job for an actor is damaged: ") + error.what()};
  }
}

json completions_to_json(const std::vector<Completion>& completions) {
  json list = json::array();
  for (const Completion& c : completions) {
    json kept = json::array();
    for (const KeptSet& set : c.kept) {
      kept.push_back(kept_to_json(set));
    }
    list.push_back({{"token_ids", pack(c.token_ids)},
                    {"log_probs", pack(c.log_probs)},
                    {"weight_versions", pack(c.weight_versions)},
                    {"kept", std::move(kept)},
                    {"stream", {c.stream.purpose, c.stream.seed, c.stream.draw, c.stream.sample}},
                    {"finish_reason", static_cast<int>(c.finish_reason)},
                    {"text", pack_text(c.text)}});
  }
  return list;
}

Result<std::vector<Completion>> completions_from_json(const json& list) {
  try {
    std::vector<Completion> completions;
    for (const json& one : list) {
      completions.push_back(completion_from_json(one));
    }
    return completions;
  } catch (const json::exception& error) {
    return Error{std::string("completions of an actor are damaged: ") + error.what()};
  }
}

}  // namespace plumb::internal
