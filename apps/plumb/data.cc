// plumb data: what a model makes of a data set, and data sets made of what a model did.

#include "apps/plumb/data.h"

namespace plumb {

void register_data(CLI::App& app, Action& action) {
  CLI::App* data = app.add_subcommand("data", "Profile a data set under a model; turn judged samples into data");
  data->require_subcommand(1);
  add_data_profile(*data, action);
  add_data_from_rollouts(*data, action);
}

}  // namespace plumb
