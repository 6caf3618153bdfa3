#pragma once
// Sixteen floats at once. Kernels that are written with Lanes have the same bits on every machine with IEEE arithmetic:
// each operation is elementwise and correctly rounded, fused where the source says fma, and the two reductions add in
// one fixed tree. With AVX-512 a Lanes is one register; elsewhere it is an array that the compiler vectorises.

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#ifdef __AVX512F__
#include <immintrin.h>
#endif

namespace plumb {

inline constexpr std::int64_t kLanes = 16;

#ifdef __AVX512F__

class Lanes {
 public:
  Lanes() : v_(_mm512_setzero_ps()) {}
  explicit Lanes(float value) : v_(_mm512_set1_ps(value)) {}

  static Lanes load(const float* from) { return Lanes(_mm512_loadu_ps(from)); }
  /// The first `count` (0 to 16) floats; the other lanes are `fill`.
  static Lanes load_first(const float* from, std::int64_t count, float fill = 0) {
    return Lanes(_mm512_mask_loadu_ps(_mm512_set1_ps(fill), first_mask(count), from));
  }
  void store(float* to) const { _mm512_storeu_ps(to, v_); }
  void store_first(float* to, std::int64_t count) const { _mm512_mask_storeu_ps(to, first_mask(count), v_); }
  /// This in the first `count` lanes, `fill` in the others.
  [[nodiscard]] Lanes keep_first(std::int64_t count, float fill) const {
    return Lanes(_mm512_mask_mov_ps(_mm512_set1_ps(fill), first_mask(count), v_));
  }
  /// `fill` in the first `count` lanes, this in the others.
  [[nodiscard]] Lanes drop_first(std::int64_t count, float fill) const {
    return Lanes(_mm512_mask_mov_ps(v_, first_mask(count), _mm512_set1_ps(fill)));
  }

  friend Lanes operator+(Lanes a, Lanes b) { return Lanes(_mm512_add_ps(a.v_, b.v_)); }
  friend Lanes operator-(Lanes a, Lanes b) { return Lanes(_mm512_sub_ps(a.v_, b.v_)); }
  friend Lanes operator*(Lanes a, Lanes b) { return Lanes(_mm512_mul_ps(a.v_, b.v_)); }
  friend Lanes operator/(Lanes a, Lanes b) { return Lanes(_mm512_div_ps(a.v_, b.v_)); }
  friend Lanes fma(Lanes a, Lanes b, Lanes c) { return Lanes(_mm512_fmadd_ps(a.v_, b.v_, c.v_)); }
  friend Lanes max(Lanes a, Lanes b) { return Lanes(_mm512_maskz_max_ps(kAll, a.v_, b.v_)); }
  friend Lanes square_root(Lanes a) { return Lanes(_mm512_maskz_sqrt_ps(kAll, a.v_)); }
  /// `then` where a < b, else `otherwise`.
  friend Lanes select_less(Lanes a, Lanes b, Lanes then, Lanes otherwise) {
    return Lanes(_mm512_mask_mov_ps(otherwise.v_, _mm512_cmp_ps_mask(a.v_, b.v_, _CMP_LT_OQ), then.v_));
  }
  /// 2^n for lanes that hold integers n in [-126, 127].
  friend Lanes power_of_two(Lanes n) {
    const __m512i biased = _mm512_add_epi32(_mm512_maskz_cvtps_epi32(kAll, n.v_), _mm512_set1_epi32(127));
    return Lanes(_mm512_castsi512_ps(_mm512_maskz_slli_epi32(kAll, biased, 23)));
  }

 private:
  explicit Lanes(__m512 v) : v_(v) {}
  static __mmask16 first_mask(std::int64_t count) { return static_cast<__mmask16>((1U << count) - 1U); }

  // g++ 12 warns of an uninitialised value inside the plain forms of some intrinsics; the masked forms are the same.
  static constexpr __mmask16 kAll = 0xFFFF;

  __m512 v_;
};

#else

class Lanes {
 public:
  Lanes() = default;
  explicit Lanes(float value) { std::fill(v_, v_ + kLanes, value); }

  static Lanes load(const float* from) { return load_first(from, kLanes); }
  static Lanes load_first(const float* from, std::int64_t count, float fill = 0) {
    Lanes r(fill);
    std::copy(from, from + count, r.v_);
    return r;
  }
  void store(float* to) const { store_first(to, kLanes); }
  void store_first(float* to, std::int64_t count) const { std::copy(v_, v_ + count, to); }
  [[nodiscard]] Lanes keep_first(std::int64_t count, float fill) const { return load_first(v_, count, fill); }
  [[nodiscard]] Lanes drop_first(std::int64_t count, float fill) const {
    Lanes r = *this;
    std::fill(r.v_, r.v_ + count, fill);
    return r;
  }

  friend Lanes operator+(Lanes a, Lanes b) {
    return map([&](auto i) { return a.v_[i] + b.v_[i]; });
  }
  friend Lanes operator-(Lanes a, Lanes b) {
    return map([&](auto i) { return a.v_[i] - b.v_[i]; });
  }
  friend Lanes operator*(Lanes a, Lanes b) {
    return map([&](auto i) { return a.v_[i] * b.v_[i]; });
  }
  friend Lanes operator/(Lanes a, Lanes b) {
    return map([&](auto i) { return a.v_[i] / b.v_[i]; });
  }
  friend Lanes fma(Lanes a, Lanes b, Lanes c) {
    return map([&](auto i) { return std::fma(a.v_[i], b.v_[i], c.v_[i]); });
  }
  friend Lanes max(Lanes a, Lanes b) {
    return map([&](auto i) { return a.v_[i] > b.v_[i] ? a.v_[i] : b.v_[i]; });
  }
  friend Lanes square_root(Lanes a) {
    return map([&](auto i) { return std::sqrt(a.v_[i]); });
  }
  friend Lanes select_less(Lanes a, Lanes b, Lanes then, Lanes otherwise) {
    return map([&](auto i) { return a.v_[i] < b.v_[i] ? then.v_[i] : otherwise.v_[i]; });
  }
  friend Lanes power_of_two(Lanes n) {
    return map([&](auto i) {
      const float value = n.v_[i] == n.v_[i] ? n.v_[i] : 0.0F;
      return std::bit_cast<float>((static_cast<std::int32_t>(std::nearbyint(value)) + 127) << 23);
    });
  }

 private:
  template <typename F>
  static Lanes map(F f) {
    Lanes r;
    for (std::int64_t i = 0; i < kLanes; ++i) {
      r.v_[i] = f(i);
    }
    return r;
  }

  float v_[kLanes] = {};
};

#endif

/// The sum of the lanes: halves are added until one is left.
inline float sum_of(Lanes lanes) {
  float v[kLanes];
  lanes.store(v);
  for (std::int64_t width = kLanes / 2; width > 0; width /= 2) {
    for (std::int64_t i = 0; i < width; ++i) {
      v[i] += v[i + width];
    }
  }
  return v[0];
}

inline float largest_of(Lanes lanes) {
  float v[kLanes];
  lanes.store(v);
  return *std::max_element(v, v + kLanes);
}

/// Calls body(i, count) for i = 0, 16, 32, ...; `count` is 16 but for the last piece of a length that is no multiple.
template <typename Body>
void for_lanes(std::int64_t length, Body body) {
  std::int64_t i = 0;
  for (; i + kLanes <= length; i += kLanes) {
    body(i, kLanes);
  }
  if (i < length) {
    body(i, length - i);
  }
}

/// sum over i of a[i] * b[i]: fused into 16 lanes, in order, then summed in a fixed tree.
inline float dot(const float* a, const float* b, std::int64_t length) {
  Lanes sum;
  for_lanes(length, [&](std::int64_t i, std::int64_t count) {
    sum = fma(Lanes::load_first(a + i, count), Lanes::load_first(b + i, count), sum);
  });
  return sum_of(sum);
}

}  // namespace plumb
