#pragma once
// Demonstrations and plain texts to the token ids that SFT learns from.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "apps/plumb/settings.h"
#include "apps/plumb/workbench.h"
#include "core/records.h"
#include "core/result.h"
#include "learner/sft.h"

namespace plumb {

/// The numbers of sources: those of `train` from 0 in the order of their names, then those that only `dev` has.
using SftSources = std::map<std::string, int>;
SftSources number_sources(std::span<const SftRecord> train, std::span<const SftRecord> dev);

/// Records as token ids, in order. A demonstration is the prompt with the chat template, and the completion with the
/// end-of-turn token, which the loss is on. An earlier reply that is trained on (SftRecord::every_turn) has the tokens
/// that it has where it is the last: those of its prompt, of what the template makes of it, and the end-of-turn token
/// that the template writes. Plain text stands between what the tokenizer puts around a text, and the end-of-sequence
/// token; the loss is on all of it but the first token, which nothing predicts. `sources` has every record's source.
/// Errors, naming the record: what the template refuses; a template that shows an earlier reply otherwise than it was
/// asked for; no token to learn from; more tokens than the model's context.
Result<std::vector<SftExample>> tokenise_records(std::span<const SftRecord> records, const SftSources& sources,
                                                 SftLossOn loss_on, Workbench& bench);

/// The form of each record in an epoch (SftLearnerOptions::form): with sft.fim_rate some of the plain texts are cut for
/// fill-in-the-middle (learner/fim.h), by run seed, epoch and place; a text that would not fit into the model's context
/// then stays whole. Null where the rate is 0. The records and the bench have to outlive it. Errors: a tokenizer
/// without the special tokens; no plain text.
using SftForms = std::function<std::optional<SftExample>(std::size_t example, int epoch)>;
Result<SftForms> fim_forms(std::span<const SftRecord> records, const SftSources& sources, const Settings& settings,
                           Workbench& bench);

}  // namespace plumb
