#include "apps/plumb/sampling_json.h"

#include <fmt/format.h>

#include <functional>
#include <map>

namespace plumb {
namespace {

using Json = nlohmann::json;
using Setter = std::function<void(const Json&, SamplingOptions&)>;

template <typename T>
Setter set(T SamplingOptions::*member) {
  return [member](const Json& value, SamplingOptions& options) { value.get_to(options.*member); };
}

void set_bias(const Json& value, SamplingOptions& options) {
  options.logit_bias.clear();
  for (const auto& [id, bias] : value.get<std::map<std::string, float>>()) {
    std::size_t used = 0;
    options.logit_bias.emplace_back(std::stoi(id, &used), bias);
    if (used != id.size()) {
      throw std::invalid_argument(id);
    }
  }
}

void set_stop(const Json& value, SamplingOptions& options) {
  options.stop =
      value.is_string() ? std::vector<std::string>{value.get<std::string>()} : value.get<std::vector<std::string>>();
}

const std::map<std::string, Setter>& setters() {
  static const std::map<std::string, Setter> all = {
      {"temperature", set(&SamplingOptions::temperature)},
      {"top_k", set(&SamplingOptions::top_k)},
      {"top_p", set(&SamplingOptions::top_p)},
      {"min_p", set(&SamplingOptions::min_p)},
      {"typical_p", set(&SamplingOptions::typical_p)},
      {"repetition_penalty", set(&SamplingOptions::repetition_penalty)},
      {"presence_penalty", set(&SamplingOptions::presence_penalty)},
      {"frequency_penalty", set(&SamplingOptions::frequency_penalty)},
      {"logit_bias", set_bias},
      {"bad_words", set(&SamplingOptions::bad_words)},
      {"min_new_tokens", set(&SamplingOptions::min_new_tokens)},
      {"max_new_tokens", set(&SamplingOptions::max_new_tokens)},
      {"stop", set_stop},
      {"stop_token_ids", set(&SamplingOptions::stop_token_ids)},
      {"stop_after_code_block", set(&SamplingOptions::stop_after_code_block)},
  };
  return all;
}

}  // namespace

Result<SamplingOptions> sampling_from_json(const Json& json, SamplingOptions base) {
  if (!json.is_object()) {
    return Error{"sampling: expected an object, found " + json.dump()};
  }
  for (const auto& [key, value] : json.items()) {
    const auto setter = setters().find(key);
    if (setter == setters().end()) {
      std::string known;
      for (const auto& [name, ignored] : setters()) {
        known += (known.empty() ? "" : ", ") + name;
      }
      return Error{fmt::format("sampling: unknown key \"{}\" (known: {})", key, known)};
    }
    try {
      setter->second(value, base);
    } catch (const std::exception&) {
      return Error{fmt::format("sampling.{}: {} is not a value it takes", key, value.dump())};
    }
  }
  return base;
}

}  // namespace plumb
