#include "datasets/other_rows.h"

namespace plumb {

Result<PromptRecord> read_text_row(const Row& row) {
  PromptRecord text;
  text.domain = Domain::kChat;
  PLUMB_ASSIGN(text.reference, required_text(row, "text"));
  if (text.reference.empty()) {
    return row.refuse("text", "expected a text that is not empty; leave the row out");
  }
  PLUMB_ASSIGN(text.id, optional_text(row, "id", row.default_id()));
  PLUMB_ASSIGN(text.split, optional_text(row, "split", "sft"));
  PLUMB_ASSIGN(text.data_source, optional_text(row, "data_source", "user"));
  PLUMB_ASSIGN(text.license, optional_text(row, "license", "NOASSERTION"));
  text.family = text.id;
  text.split = split_name(text.split);
  return text;
}

}  // namespace plumb
