// How it runs. The unit is one sample of one request; lower units come first in everything. While there is room, the
// first waiting units are admitted: the prompt they share is read into the cache, in chunks that ride along with the
// decode steps of others, from where the longest known prefix ends; its last logits give the first token of every new
// sample. Samples of a request share a sequence as long as their tokens are the same (they begin alike, and often end
// alike too): it is computed once, each draws from its logits with its own random numbers, and where they part the
// sequence is forked. Every step extends all live sequences by the tokens that the cache lacks: one for a sequence that
// decodes, more for one that comes back.
//
// Pages run out: prompts that nobody uses go first, then the highest unit gives up its pages and waits. It has its
// tokens still; admitted again, they are read like a prompt. New weights: the same happens to all units at once, since
// pages of older weights must not be used. Both change nothing but time, as the bits of logits do not depend on how a
// sequence came into the cache. The lowest unit is never pre-empted, and generate() has checked that it fits alone, so
// there is always progress.

#include "actor/generation_run.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/check.h"

namespace plumb::internal {

GenerationRun::GenerationRun(Policy& policy, const Tokenizer& tokenizer, int num_workers,
                             std::span<const GenerationRequest> requests, const GeneratorOptions& options,
                             std::unique_ptr<VersionedCache>& cache,
                             const std::function<void(std::size_t, const CompletionGroup&)>& on_group)
    : policy_(policy),
      tokenizer_(tokenizer),
      requests_(requests),
      options_(options),
      cache_(cache),
      on_group_(on_group),
      scratch_(static_cast<std::size_t>(num_workers)),
      row_copies_(static_cast<std::size_t>(num_workers)) {
  groups_.resize(requests.size());
  for (std::size_t r = 0; r < requests.size(); ++r) {
    groups_[r].prompt = requests[r].prompt;
    groups_[r].prompt_token_ids = requests[r].prompt_token_ids;
    groups_[r].draw = requests[r].draw;
    groups_[r].completions.resize(static_cast<std::size_t>(requests[r].num_samples));
    for (int sample = 0; sample < requests[r].num_samples; ++sample) {
      Completion& completion = completion_of({r, sample});
      completion.finish_reason = FinishReason::kAborted;  // until it ends by itself or by length
      completion.stream = {static_cast<std::uint32_t>(options.purpose), options.seed, requests[r].draw,
                           static_cast<std::uint32_t>(sample)};
      waiting_.emplace(r, sample);
    }
    unfinished_.push_back(requests[r].num_samples);
    progress_.total += requests[r].num_samples;
  }
}

Result<std::vector<CompletionGroup>> GenerationRun::run(
    const std::function<bool(const GenerationProgress&)>& on_progress) {
  while (!waiting_.empty() || !live_.empty() || !prefills_.empty()) {
    check_version();
    admit();
    PLUMB_TRY(step());
    hand_out();
    if (on_progress && !on_progress(progress_)) {
      break;
    }
  }
  return std::move(groups_);
}

const SamplingOptions& GenerationRun::sampling(std::size_t request) const {
  return requests_[request].sampling ? *requests_[request].sampling : options_.sampling;
}

GenerationRun::Begun GenerationRun::begin(const Unit& unit) const {
  const GenerationRequest& request = requests_[unit.first];
  return {0,
          RngStream(options_.purpose, options_.seed, stable_hash(request.prompt ? request.prompt->id : ""),
                    request.draw, static_cast<std::uint32_t>(unit.second)),
          {},
          StopMatcher(sampling(unit.first).stop),
          0};
}

// Pages of older weights are dropped, whoever holds them.
void GenerationRun::check_version() {
  if (cache_->version == policy_.version()) {
    return;
  }
  while (preempt_last()) {
  }
  cache_ = std::make_unique<VersionedCache>(policy_, options_.cache_bytes);
}

void GenerationRun::admit() {
  auto running = static_cast<std::int64_t>(live_.size());
  std::int64_t spare = cache_->free_pages() - running;  // a decoding sequence may need a page at any time
  for (const Prefill& prefill : prefills_) {
    running += static_cast<std::int64_t>(prefill.samples.size());
    spare -= cache_->pages_for(static_cast<std::int64_t>(requests_[prefill.request].prompt_token_ids.size()) -
                               prefill.cached) +
             2 * static_cast<std::int64_t>(prefill.samples.size());
  }
  while (!waiting_.empty() && (running == 0 || running < options_.max_batch)) {
    const std::size_t request = waiting_.begin()->first;
    const std::span<const std::int32_t> prompt = requests_[request].prompt_token_ids;
    const std::int64_t prompt_pages = cache_->pages_for(static_cast<std::int64_t>(prompt.size()));
    while (spare < prompt_pages + 2 && cache_->prefixes.evict()) {
      spare = cache_->free_pages() - running;
    }
    if (running > 0 && spare < prompt_pages + 2) {
      return;
    }
    spare -= prompt_pages;
    Prefill prefill;
    prefill.request = request;
    while (!waiting_.empty() && waiting_.begin()->first == request &&
           (prefill.samples.empty() || (running < options_.max_batch && spare >= 2))) {
      prefill.samples.push_back(waiting_.begin()->second);
      waiting_.erase(waiting_.begin());
      ++running;
      spare -= 2;
    }
    const auto known = cache_->prefixes.find(prompt);
    prefill.sequence = known ? cache_->pages->fork(known->sequence, known->num_tokens) : cache_->pages->add_sequence();
    prefill.cached = known ? known->num_tokens : 0;
    prefills_.push_back(std::move(prefill));
  }
}

// How many tokens everyone reads next: what it lacks, but prompts and returning sequences together no more than a
// chunk, the first ones first.
void GenerationRun::plan_reads() {
  reads_.clear();
  std::int64_t chunk = std::max<std::int64_t>(1, options_.prefill_chunk);
  const auto take = [&](std::int64_t lacking) {
    const std::int64_t reads = std::min(lacking, chunk);
    chunk -= reads;
    return reads;
  };
  for (auto& [unit, begun] : live_) {
    const auto lacking = static_cast<std::int64_t>(completion_of(unit).token_ids.size()) - begun.cached;
    reads_[unit] = lacking == 1 ? 1 : take(lacking);
  }
  for (Prefill& prefill : prefills_) {
    prefill.reads =
        take(static_cast<std::int64_t>(requests_[prefill.request].prompt_token_ids.size()) - prefill.cached);
  }
}

std::int64_t GenerationRun::pages_of_step() const {
  std::int64_t pages = 0;
  const auto add = [&](SequenceId sequence, std::int64_t reads) {
    const std::int64_t length = cache_->pages->length(sequence);
    pages += cache_->pages_for(length + reads) - cache_->pages_for(length);
  };
  for (const Bundle& bundle : bundles()) {
    add(bundle.sequence, reads_.at(bundle.units[0]));
  }
  for (const Prefill& prefill : prefills_) {
    add(prefill.sequence, prefill.reads);
  }
  return pages;
}

std::vector<GenerationRun::Bundle> GenerationRun::bundles() const {
  std::vector<Bundle> all;
  std::map<SequenceId, std::size_t> place;
  for (const auto& [unit, begun] : live_) {
    const auto [found, fresh] = place.emplace(begun.sequence, all.size());
    if (fresh) {
      all.push_back({begun.sequence, {}});
    }
    all[found->second].units.push_back(unit);
  }
  return all;
}

void GenerationRun::hold(const Unit& unit, Begun begun, SequenceId sequence) {
  begun.sequence = sequence;
  ++holders_[sequence];
  live_.emplace(unit, std::move(begun));
}

// One holder less; nobody's pages are given back.
void GenerationRun::release(SequenceId sequence) {
  const auto holders = holders_.find(sequence);
  if (--holders->second == 0) {
    holders_.erase(holders);
    cache_->pages->remove(sequence);
  }
}

// The highest unit gives up its pages and waits. False: nobody is left.
bool GenerationRun::preempt_last() {
  if (!prefills_.empty() && (live_.empty() || prefills_.back().request >= live_.rbegin()->first.first)) {
    for (const int sample : prefills_.back().samples) {
      waiting_.emplace(prefills_.back().request, sample);
    }
    cache_->pages->remove(prefills_.back().sequence);
    prefills_.pop_back();
    return true;
  }
  if (live_.empty()) {
    return false;
  }
  const auto last = std::prev(live_.end());
  release(last->second.sequence);
  waiting_.insert(last->first);
  parked_.insert(live_.extract(last));
  ++progress_.preempted;
  return true;
}

Result<void> GenerationRun::step() {
  for (plan_reads(); cache_->free_pages() < pages_of_step(); plan_reads()) {
    const bool one_left = live_.size() + prefills_.size() <= 1;
    if (!cache_->prefixes.evict()) {
      PLUMB_CHECK(!one_left && preempt_last(), "a sequence that was checked to fit does not");
    }
  }
  drawn_.clear();
  extend_all();
  PLUMB_TRY(accept_all());
  return {};
}

void GenerationRun::extend_all() {
  std::vector<ExtendRequest> extend;
  std::vector<Bundle> decoding;
  std::vector<Prefill*> reading;
  for (Bundle& bundle : bundles()) {
    const auto& tokens = completion_of(bundle.units[0]).token_ids;
    const std::int64_t cached = live_.at(bundle.units[0]).cached;
    const std::int64_t reads = reads_[bundle.units[0]];
    if (reads == 0) {
      continue;
    }
    extend.push_back({bundle.sequence,
                      std::span(tokens).subspan(static_cast<std::size_t>(cached), static_cast<std::size_t>(reads)),
                      cached + reads == static_cast<std::int64_t>(tokens.size())});
    for (const Unit& unit : bundle.units) {
      live_.at(unit).cached += reads;
      if (extend.back().want_logits) {
        drawn_[unit] = {};
      }
    }
    decoding.push_back(std::move(bundle));
  }
  const std::size_t num_live = extend.size();
  for (Prefill& prefill : prefills_) {
    if (prefill.reads > 0) {
      const auto& prompt = requests_[prefill.request].prompt_token_ids;
      extend.push_back(
          {prefill.sequence,
           std::span(prompt).subspan(static_cast<std::size_t>(prefill.cached), static_cast<std::size_t>(prefill.reads)),
           prefill.cached + prefill.reads == static_cast<std::int64_t>(prompt.size())});
      reading.push_back(&prefill);
      prefill.cached += prefill.reads;
    }
  }
  for (const ExtendRequest& request : extend) {
    progress_.rows += std::ssize(request.token_ids);
    progress_.head_rows += request.want_logits ? 1 : 0;
  }
  policy_.extend(*cache_->pages, extend, [&](std::int64_t index, int worker, std::span<float> logits) {
    const auto at = static_cast<std::size_t>(index);
    if (at >= num_live) {
      draw_first(*reading[at - num_live], worker, logits);
      return;
    }
    draw_next(decoding[at], worker, logits);
  });
}

// The next token of each sample of a bundle. Each draw gets logits as the policy gave them.
void GenerationRun::draw_next(const Bundle& bundle, int worker, std::span<float> logits) {
  std::vector<float>& copy = row_copies_[static_cast<std::size_t>(worker)];
  if (bundle.units.size() > 1) {
    copy.assign(logits.begin(), logits.end());
  }
  for (const Unit& unit : bundle.units) {
    if (unit != bundle.units[0]) {
      std::copy(copy.begin(), copy.end(), logits.begin());
    }
    drawn_.at(unit) = draw_token(logits, sampling(unit.first), history_of(unit.first, completion_of(unit).token_ids),
                                 live_.at(unit).stream, scratch_[static_cast<std::size_t>(worker)]);
  }
}

// The first tokens of a prompt's new samples. Each draw gets logits as the policy gave them.
void GenerationRun::draw_first(Prefill& prefill, int worker, std::span<float> logits) {
  std::vector<float>& copy = row_copies_[static_cast<std::size_t>(worker)];
  copy.assign(logits.begin(), logits.end());
  for (const int sample : prefill.samples) {
    const Unit unit{prefill.request, sample};
    if (completion_of(unit).token_ids.empty()) {
      std::copy(copy.begin(), copy.end(), logits.begin());
      prefill.first_tokens.push_back(draw_token(logits, sampling(unit.first), history_of(unit.first, {}),
                                                begin(unit).stream, scratch_[static_cast<std::size_t>(worker)]));
    }
  }
}

Result<void> GenerationRun::accept_all() {
  for (const auto& [unit, token] : drawn_) {
    PLUMB_TRY(accept(unit, live_.at(unit), token));
  }
  std::vector<Prefill> done;
  for (Prefill& prefill : prefills_) {
    if (prefill.cached == static_cast<std::int64_t>(requests_[prefill.request].prompt_token_ids.size())) {
      done.push_back(std::move(prefill));
      prefill.samples.clear();
    }
  }
  std::erase_if(prefills_, [](const Prefill& prefill) { return prefill.samples.empty(); });
  for (Prefill& prefill : done) {
    start_samples(prefill);
    std::size_t next = 0;
    for (const int sample : prefill.samples) {
      const Unit unit{prefill.request, sample};
      if (completion_of(unit).token_ids.empty()) {
        const bool live = live_.contains(unit);
        PLUMB_TRY(accept(unit, live ? live_.at(unit) : parked_.at(unit), prefill.first_tokens[next++]));
      }
    }
  }
  part_ways();
  return {};
}

// Whether there is a page for a fork of `copied` that `unit` needs; higher units give theirs up for it.
bool GenerationRun::make_room(SequenceId copied, const Unit& unit) {
  if (cache_->pages->length(copied) % cache_->pages->page_tokens() == 0) {
    return true;
  }
  // What is evicted or gives its place up may share its pages with others, so each may free none.
  while (cache_->free_pages() == 0 && cache_->prefixes.evict()) {
  }
  while (cache_->free_pages() == 0 && !live_.empty() && live_.rbegin()->first > unit) {
    preempt_last();
  }
  return cache_->free_pages() > 0;
}

// New samples share a fork of the cached prompt, each that comes back gets its own. Where there is no page for it, they
// wait; first tokens are drawn.
void GenerationRun::start_samples(Prefill& prefill) {
  std::optional<SequenceId> shared;
  for (const int sample : prefill.samples) {
    const Unit unit{prefill.request, sample};
    auto waiting = parked_.extract(unit);
    const bool fresh = completion_of(unit).token_ids.empty();
    Begun begun = waiting ? std::move(waiting.mapped()) : begin(unit);
    begun.cached = 0;
    if (fresh && shared) {
      hold(unit, std::move(begun), *shared);
    } else if (make_room(prefill.sequence, unit)) {
      const SequenceId forked = cache_->pages->fork(prefill.sequence);
      hold(unit, std::move(begun), forked);
      if (fresh) {
        shared = forked;
      }
    } else {
      waiting_.insert(unit);
      parked_.emplace(unit, std::move(begun));
    }
  }
  cache_->prefixes.add(requests_[prefill.request].prompt_token_ids, prefill.sequence);
}

// Samples that shared a sequence and have drawn different tokens: the first keeps it, the others fork it, one for each
// token.
void GenerationRun::part_ways() {
  for (const Bundle& bundle : bundles()) {
    std::map<std::int32_t, SequenceId> sequence_of = {
        {completion_of(bundle.units[0]).token_ids.back(), bundle.sequence}};
    for (const Unit& unit : std::span(bundle.units).subspan(1)) {
      const std::int32_t token_id = completion_of(unit).token_ids.back();
      if (!live_.contains(unit) || token_id == completion_of(bundle.units[0]).token_ids.back()) {
        continue;
      }
      auto known = sequence_of.find(token_id);
      if (known == sequence_of.end() && make_room(bundle.sequence, unit)) {
        known = sequence_of.emplace(token_id, cache_->pages->fork(bundle.sequence)).first;
      }
      auto begun = live_.extract(unit);
      release(bundle.sequence);
      if (known != sequence_of.end()) {
        hold(unit, std::move(begun.mapped()), known->second);
      } else {
        waiting_.insert(unit);
        parked_.emplace(unit, std::move(begun.mapped()));
        ++progress_.preempted;
      }
    }
  }
}

// Records the token, and ends the completion if the token does.
Result<void> GenerationRun::accept(const Unit& unit, Begun& begun, const SampledToken& token) {
  const SamplingOptions& options = sampling(unit.first);
  const std::string& id = requests_[unit.first].prompt ? requests_[unit.first].prompt->id : "";
  if (token.id == kNotFinite) {
    return Error{fmt::format("actor: prompt '{}': the policy's logits are not numbers; its weights are damaged", id)};
  }
  if (token.id == kNothingLeft) {
    return Error{fmt::format("actor: prompt '{}': bad_words, logit_bias and min_new_tokens forbid every token", id)};
  }
  Completion& completion = completion_of(unit);
  completion.token_ids.push_back(token.id);
  completion.log_probs.push_back(token.log_prob);
  completion.weight_versions.push_back(policy_.version());
  if (options.truncates()) {
    completion.kept.push_back(token.kept);
  }
  ++progress_.new_tokens;
  if (options_.on_token) {
    options_.on_token(unit.first, unit.second, completion);
  }
  const auto is_one_of = [&](const std::vector<std::int32_t>& ids) {
    return std::ranges::find(ids, token.id) != ids.end();
  };
  std::optional<std::size_t> text_bytes;
  if (is_one_of(tokenizer_.end_ids())) {
    finish(unit, begun, FinishReason::kEndOfSequence, {});
  } else if (begun.fence.feed(tokenizer_.token_bytes(token.id)) && options.stop_after_code_block) {
    finish(unit, begun, FinishReason::kStop, {});
  } else if (!options.stop.empty() && (text_bytes = begun.stops.feed(tokenizer_.decode({&token.id, 1})))) {
    finish(unit, begun, FinishReason::kStop, text_bytes);
  } else if (is_one_of(options.stop_token_ids)) {
    finish(unit, begun, FinishReason::kStop, {});
  } else if (static_cast<std::int64_t>(completion.token_ids.size()) >= options.max_new_tokens) {
    finish(unit, begun, FinishReason::kLength, {});
  }
  return {};
}

void GenerationRun::finish(const Unit& unit, const Begun& begun, FinishReason reason,
                           std::optional<std::size_t> text_bytes) {
  Completion& completion = completion_of(unit);
  completion.finish_reason = reason;
  completion.text = tokenizer_.decode(completion.token_ids);
  if (text_bytes) {
    completion.text.resize(std::min(*text_bytes, completion.text.size()));
  }
  ++progress_.finished;
  if (--unfinished_[unit.first] == 0) {
    completed_.push_back(unit.first);
  }
  if (live_.contains(unit)) {
    release(begun.sequence);
    live_.erase(unit);
  } else {
    waiting_.erase(unit);
    parked_.erase(unit);
  }
}

void GenerationRun::hand_out() {
  for (const std::size_t request : completed_) {
    if (on_group_) {
      on_group_(request, groups_[request]);
    }
  }
  completed_.clear();
}

}  // namespace plumb::internal
