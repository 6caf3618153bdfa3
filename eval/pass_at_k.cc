#include "eval/pass_at_k.h"

#include "core/check.h"

namespace plumb {

double pass_at_k(int n, int c, int k) {
  PLUMB_CHECK(0 <= c && c <= n && 1 <= k && k <= n, "pass_at_k needs 0 <= c <= n and 1 <= k <= n");
  if (n - c < k) {
    return 1.0;
  }
  double all_wrong = 1.0;
  for (int i = n - c + 1; i <= n; ++i) {
    all_wrong *= 1.0 - static_cast<double>(k) / i;
  }
  return 1.0 - all_wrong;
}

}  // namespace plumb
