#pragma once
// A loaded model with what is needed to talk to it: the common start of every subcommand.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apps/plumb/settings.h"
#include "core/result.h"
#include "core/thread_pool.h"
#include "formats/model_folder.h"
#include "policy/policy.h"
#include "tokenizer/chat_template.h"
#include "tokenizer/tokenizer.h"

namespace plumb {

/// Owns a policy and its tokenizer. Not movable: the policy refers to the pool.
class Workbench {
 public:
  /// Reads all tensors of `source` into a policy and closes it. `trainable` allocates gradients. Errors: whatever is
  /// wrong with the model, naming the tensor, token or template.
  static Result<std::unique_ptr<Workbench>> open(std::unique_ptr<ModelSource> source, const ModelSettings& settings,
                                                 bool trainable);
  Workbench(const Workbench&) = delete;
  Workbench& operator=(const Workbench&) = delete;

  ThreadPool& pool() { return pool_; }
  Policy& policy() { return *policy_; }
  [[nodiscard]] const Tokenizer& tokenizer() const { return *tokenizer_; }
  [[nodiscard]] const ChatTemplate& chat_template() const { return *chat_template_; }

  /// Writes the master weights in f32 with config, tokenizer and template as a Hugging Face folder, whole or not at
  /// all.
  Result<void> save(const std::string& folder, LentValues* lender = nullptr);
  /// Replaces the master weights by those of a folder that save() wrote for this model.
  Result<void> load_weights(const std::string& folder);

 private:
  explicit Workbench(int threads) : pool_(threads) {}

  ThreadPool pool_;
  Hyperparameters hyperparameters_;
  TokenizerData tokenizer_data_;
  std::string chat_template_text_;
  std::optional<Tokenizer> tokenizer_;
  std::optional<ChatTemplate> chat_template_;
  std::unique_ptr<Policy> policy_;
};

/// Whether the model at `path` has the tensors that its configuration asks for (policy/model_layout.h).
Result<void> check_tensors(const ModelSource& source, const std::string& path);

/// SHA-256 of what the model is made of: of the GGUF file, or of the names and contents of a folder's weights,
/// configuration, tokenizer and template.
Result<std::string> model_checksum(const std::string& path);

}  // namespace plumb
