#include "learner/batching.h"

#include <algorithm>
#include <iterator>

#include "core/check.h"

namespace plumb {
namespace {

// The completions of one prompt as a tree: a node is a token after all tokens before it, node 0 the end of the prompt.
// A node with children has a row; a node other than 0 is a target.
class CompletionTree {
 public:
  struct Node {
    std::int32_t token_id = 0;
    std::size_t parent = 0;
    std::vector<std::size_t> children;  // in order of first use
    float goes_on = 0;                  // completions that have a token after this one
  };

  explicit CompletionTree(const SharedPromptSequences& sequences) : nodes_(1) {
    for (const auto& completion : sequences.completions) {
      PLUMB_CHECK(!completion.empty(), "append_sequences: empty completion");
      std::size_t at = 0;
      for (const std::int32_t token_id : completion) {
        nodes_[at].goes_on += 1;
        at = child(at, token_id);
        path_.push_back(at);
      }
    }
  }

  [[nodiscard]] const std::vector<Node>& nodes() const { return nodes_; }
  /// The nodes of all completions' tokens, in order.
  [[nodiscard]] const std::vector<std::size_t>& path() const { return path_; }
  [[nodiscard]] bool has_row(std::size_t node) const { return !nodes_[node].children.empty(); }
  [[nodiscard]] std::vector<std::size_t> children_with_rows(std::size_t node) const {
    std::vector<std::size_t> found;
    std::ranges::copy_if(nodes_[node].children, std::back_inserter(found),
                         [this](std::size_t c) { return has_row(c); });
    return found;
  }
  [[nodiscard]] std::int64_t num_rows() const {
    std::int64_t rows = 0;
    for (std::size_t node = 1; node < nodes_.size(); ++node) {
      rows += has_row(node) ? 1 : 0;
    }
    return rows;
  }

 private:
  std::size_t child(std::size_t parent, std::int32_t token_id) {
    for (const std::size_t known : nodes_[parent].children) {
      if (nodes_[known].token_id == token_id) {
        return known;
      }
    }
    const std::size_t added = nodes_.size();
    nodes_.push_back({token_id, parent, {}, 0});
    nodes_[parent].children.push_back(added);
    return added;
  }

  std::vector<Node> nodes_;
  std::vector<std::size_t> path_;
};

// Appends the rows of a tree below the prompt's segment; returns every node's row.
std::vector<std::int64_t> append_rows(const CompletionTree& tree, std::int32_t prompt_segment, PackedBatch& batch) {
  struct Stretch {
    std::size_t first = 0;
    std::int32_t parent = 0;
  };
  std::vector<std::int64_t> row_of(tree.nodes().size(), -1);
  row_of[0] = batch.num_tokens() - 1;
  std::vector<Stretch> open;
  const auto open_children = [&](const std::vector<std::size_t>& children, std::int32_t parent) {
    for (auto child = children.rbegin(); child != children.rend(); ++child) {
      open.push_back({*child, parent});
    }
  };
  open_children(tree.children_with_rows(0), prompt_segment);
  while (!open.empty()) {
    const Stretch stretch = open.back();
    open.pop_back();
    const Segment& parent = batch.segments[static_cast<std::size_t>(stretch.parent)];
    Segment segment{batch.num_tokens(), 0, parent.start_position + parent.num_tokens, stretch.parent};
    std::vector<std::size_t> next = {stretch.first};
    while (next.size() == 1) {
      row_of[next[0]] = batch.num_tokens();
      batch.token_ids.push_back(tree.nodes()[next[0]].token_id);
      ++segment.num_tokens;
      next = tree.children_with_rows(next[0]);
    }
    open_children(next, static_cast<std::int32_t>(batch.segments.size()));
    batch.segments.push_back(segment);
  }
  return row_of;
}

}  // namespace

void PackedSequences::set_kept(std::span<const KeptSet> by_token) {
  PLUMB_CHECK(by_token.size() == target_of.size(), "set_kept: a set for every token");
  targets.kept.clear();
  if (std::ranges::all_of(by_token, [](const KeptSet& kept) { return kept == KeptSet{}; })) {
    return;
  }
  targets.kept.resize(targets.rows.size());
  std::vector<bool> known(targets.rows.size());
  for (std::size_t token = 0; token < by_token.size(); ++token) {
    const auto target = static_cast<std::size_t>(target_of[token]);
    PLUMB_CHECK(!known[target] || targets.kept[target] == by_token[token],
                "set_kept: equal tokens after equal tokens were drawn from different sets");
    targets.kept[target] = by_token[token];
    known[target] = true;
  }
}

void PackedSequences::add_raw_targets() {
  PLUMB_CHECK(!with_raw, "add_raw_targets: twice");
  const std::size_t count = targets.rows.size();
  with_raw = true;
  for (std::size_t i = 0; i < count; ++i) {
    targets.rows.push_back(targets.rows[i]);
    targets.target_ids.push_back(targets.target_ids[i]);
  }
  targets.raw.assign(count, 0);
  targets.raw.resize(2 * count, 1);
  if (!targets.kept.empty()) {
    targets.kept.resize(2 * count);
  }
}

std::vector<float> PackedSequences::by_token(std::span<const float> by_target) const {
  std::vector<float> values;
  values.reserve(target_of.size());
  for (const std::int64_t target : target_of) {
    values.push_back(by_target[static_cast<std::size_t>(target)]);
  }
  return values;
}

std::vector<float> PackedSequences::sum_by_target(std::span<const float> by_token) const {
  PLUMB_CHECK(by_token.size() == target_of.size(), "sum_by_target: a value for every token");
  std::vector<float> sums(num_targets());
  for (std::size_t token = 0; token < by_token.size(); ++token) {
    sums[static_cast<std::size_t>(target_of[token])] += by_token[token];
  }
  return sums;
}

void append_sequences(const SharedPromptSequences& sequences, PackedSequences& packed) {
  PLUMB_CHECK(!sequences.prompt.empty(), "append_sequences: empty prompt");
  const CompletionTree tree(sequences);
  PackedBatch& batch = packed.batch;
  const auto prompt_segment = static_cast<std::int32_t>(batch.segments.size());
  batch.segments.push_back({batch.num_tokens(), static_cast<std::int64_t>(sequences.prompt.size()), 0, -1});
  batch.token_ids.insert(batch.token_ids.end(), sequences.prompt.begin(), sequences.prompt.end());
  const std::vector<std::int64_t> row_of = append_rows(tree, prompt_segment, batch);
  packed.row_counts.resize(batch.token_ids.size(), static_cast<float>(sequences.completions.size()));  // the prompt's
  for (std::size_t node = 1; node < tree.nodes().size(); ++node) {
    if (row_of[node] >= 0) {
      packed.row_counts[static_cast<std::size_t>(row_of[node])] = tree.nodes()[node].goes_on;
    }
  }
  const auto first_target = static_cast<std::int64_t>(packed.targets.rows.size());
  for (std::size_t node = 1; node < tree.nodes().size(); ++node) {
    packed.targets.rows.push_back(row_of[tree.nodes()[node].parent]);
    packed.targets.target_ids.push_back(tree.nodes()[node].token_id);
  }
  for (const std::size_t node : tree.path()) {
    packed.target_of.push_back(first_target + static_cast<std::int64_t>(node) - 1);
  }
}

void append_sequence(std::span<const std::int32_t> tokens, std::span<const std::uint8_t> trained,
                     PackedSequences& packed) {
  PLUMB_CHECK(tokens.size() >= 2 && trained.size() == tokens.size(), "append_sequence: two tokens, each with its flag");
  PLUMB_CHECK(trained.front() == 0 && trained.back() != 0, "append_sequence: not the first token, but the last");
  PackedBatch& batch = packed.batch;
  const std::int64_t first_row = batch.num_tokens();
  const std::int64_t rows = std::ssize(tokens) - 1;
  const std::int64_t prompt = std::ranges::find_if(trained, [](auto flag) { return flag != 0; }) - trained.begin();
  const auto prompt_segment = static_cast<std::int32_t>(batch.segments.size());
  batch.segments.push_back({first_row, prompt, 0, -1});
  if (rows > prompt) {
    batch.segments.push_back({first_row + prompt, rows - prompt, prompt, prompt_segment});
  }
  batch.token_ids.insert(batch.token_ids.end(), tokens.begin(), tokens.end() - 1);
  packed.row_counts.resize(batch.token_ids.size(), 1.0F);
  for (std::size_t i = 1; i < tokens.size(); ++i) {
    if (trained[i] != 0) {
      packed.target_of.push_back(std::ssize(packed.targets.rows));
      packed.targets.rows.push_back(first_row + static_cast<std::int64_t>(i) - 1);
      packed.targets.target_ids.push_back(tokens[i]);
    }
  }
}

std::int64_t num_rows(const SharedPromptSequences& sequences) {
  return static_cast<std::int64_t>(sequences.prompt.size()) + CompletionTree(sequences).num_rows();
}

}  // namespace plumb
