#include "actor/generator.h"

#include <fmt/format.h>

#include <algorithm>

#include "actor/generation_run.h"

namespace plumb {
namespace {

Result<void> check_length(const std::string& id, std::int64_t prompt_tokens, std::int64_t new_tokens,
                          const GeneratorOptions& options, const Policy& policy) {
  if (prompt_tokens + new_tokens > policy.config().max_positions) {
    return Error{fmt::format(
        "actor: prompt '{}' has {} tokens; with sampling.max_new_tokens = {} that exceeds the model's context of {}; "
        "shorten the prompt or lower sampling.max_new_tokens",
        id, prompt_tokens, new_tokens, policy.config().max_positions)};
  }
  const auto cache = policy.make_cache(options.cache_bytes);
  const std::int64_t page = cache->page_tokens();
  // One page more than the tokens: the prompt's last page is copied while the prompt is there still.
  const std::int64_t need = ((prompt_tokens + new_tokens + page - 1) / page + 1) * page;
  if (need > cache->free_tokens()) {
    return Error{fmt::format(
        "actor: the cache budget of {} bytes holds {} tokens, but a completion of prompt '{}' needs {}; raise "
        "sampling.cache_mib or lower sampling.max_new_tokens",
        options.cache_bytes, cache->free_tokens(), id, need)};
  }
  return {};
}

}  // namespace

Result<void> check_request(const GenerationRequest& request, const GeneratorOptions& options, const Policy& policy) {
  const std::string id = request.prompt ? request.prompt->id : "";
  const std::int64_t vocab_size = policy.config().vocab_size;
  const SamplingOptions& sampling = request.sampling ? *request.sampling : options.sampling;
  if (request.prompt_token_ids.empty()) {
    return Error{fmt::format("actor: prompt '{}' is empty; a prompt needs at least one token", id)};
  }
  for (const std::int32_t token : request.prompt_token_ids) {
    if (token < 0 || token >= vocab_size) {
      return Error{
          fmt::format("actor: prompt '{}': token id {} is not in the vocabulary of {}", id, token, vocab_size)};
    }
  }
  if (const auto checked = check_sampling(sampling, vocab_size); !checked) {
    return checked.error().with_context(fmt::format("actor: prompt '{}'", id));
  }
  return check_length(id, static_cast<std::int64_t>(request.prompt_token_ids.size()), sampling.max_new_tokens, options,
                      policy);
}

Generator::Generator(Policy& policy, const Tokenizer& tokenizer, ThreadPool& pool)
    : policy_(policy), tokenizer_(tokenizer), pool_(pool) {}

Generator::~Generator() = default;

Result<std::vector<CompletionGroup>> Generator::generate(
    std::span<const GenerationRequest> requests, const GeneratorOptions& options,
    const std::function<bool(const GenerationProgress&)>& on_progress,
    const std::function<void(std::size_t, const CompletionGroup&)>& on_group) {
  for (const GenerationRequest& request : requests) {
    PLUMB_TRY(check_request(request, options, policy_));
  }
  const bool reusable =
      cache_ != nullptr && cache_->version == policy_.version() && cache_->pages->budget_bytes() == options.cache_bytes;
  if (!reusable) {
    cache_ = std::make_unique<internal::VersionedCache>(policy_, options.cache_bytes);
  }
  internal::GenerationRun run(policy_, tokenizer_, pool_.num_threads(), requests, options, cache_, on_group);
  auto groups = run.run(on_progress);
  if (!options.keep_cache || !groups) {
    cache_.reset();
  }
  return groups;
}

}  // namespace plumb
