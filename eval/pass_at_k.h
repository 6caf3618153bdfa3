#pragma once
// pass@k: the chance that at least one of k samples is right.

namespace plumb {

/// The unbiased estimate 1 - C(n-c, k) / C(n, k) from n samples of which c are right (Chen et al., "Evaluating large
/// language models trained on code", 2021, equation 1), as a product, so that nothing overflows.
/// 0 <= c <= n and 1 <= k <= n; anything else is a programmer error.
double pass_at_k(int n, int c, int k);

}  // namespace plumb
