#pragma once
// How evenly a layer's router spreads its rows, and the balance term that training could add.

#include <cstdint>
#include <span>
#include <vector>

#include "policy/policy.h"

namespace plumb {

/// Of one layer over the counted rows. In f64, rows in order: the numbers depend on the rows alone.
struct RouterStatistics {
  std::vector<double> load;         // [E] share of all assignments, adds up to 1
  std::vector<double> probability;  // [E] mean of the router's softmax
  double load_entropy = 0;          // of `load` as a share of log E: 1 is even, 0 is one expert for all
  double max_violation = 0;         // largest load over the even one, less 1 (Wang et al. 2024, arXiv 2408.15664)
  double z_loss = 0;                // mean of (log sum exp logits)^2 (Zoph et al. 2022, arXiv 2202.08906, eq. 5)
  double balance = 0;        // E sum_e load_e probability_e (Fedus et al. 2021, arXiv 2101.03961, eq. 4): 1 if even
  std::vector<double> sent;  // [D] share of rows with an expert in that group: adds up to the groups a row goes to
};

/// What router_statistics() adds up: rows of several batches give the numbers of all of them together.
class RouterTally {
 public:
  /// `groups`: D groups of as many experts each, side by side, as on D devices.
  explicit RouterTally(std::int64_t num_experts, std::int64_t groups = 1)
      : load_(static_cast<std::size_t>(num_experts)),
        probability_(static_cast<std::size_t>(num_experts)),
        sent_(static_cast<std::size_t>(groups)) {}

  /// Counts [T], as for router_statistics().
  void add(const RowRoutes& routes, std::span<const float> counts);
  [[nodiscard]] RouterStatistics statistics() const;
  [[nodiscard]] double rows() const { return rows_; }  // counted

 private:
  std::vector<double> load_;         // [E] assignments
  std::vector<double> probability_;  // [E] sums
  std::vector<double> sent_;         // [D] rows
  double z_ = 0;
  double rows_ = 0;
  double assignments_ = 0;
};

/// `counts` [T] says how often each row counts: 0 for padding, G for a prompt that G completions share. Numbers are
/// those of a batch in which every copy stands by itself, however it is cut into micro-batches and put together again
/// from the sums. All are 0 where no row counts.
RouterStatistics router_statistics(const RowRoutes& routes, std::int64_t num_experts, std::span<const float> counts);

}  // namespace plumb
