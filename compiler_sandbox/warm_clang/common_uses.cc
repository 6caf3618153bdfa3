#include "compiler_sandbox/warm_clang/common_uses.h"

namespace plumb {

// Members are named by being used, in functions that nobody calls. What is left out costs its users time, nothing else.
const char* common_uses() {
  return R"LIBRARY(#include <bits/stdc++.h>
namespace __plumb {
using namespace std;

template <class... T> void nothing(const T&...) {}

template <class C, class T> void sequence(C& c, const T& x) {
  C sized(3); C filled(3, x); C listed{x, x}; C copied(c); C moved(std::move(copied)); C ranged(c.begin(), c.end());
  c = moved; c = std::move(moved);
  c.push_back(x); c.push_back(T(x)); c.emplace_back(x); c.pop_back(); c.resize(3); c.assign(3, x); c.clear();
  c.insert(c.begin(), x); c.insert(c.end(), sized.begin(), sized.end()); c.erase(c.begin());
  nothing(c.front(), c.back(), c.empty(), c.size(), c[0], as_const(c)[0], as_const(c).size());
  for (auto& v : c) nothing(v);
  for (const auto& v : as_const(c)) nothing(v);
  sort(c.begin(), c.end()); reverse(c.begin(), c.end());
}

template <class T> void vectors(const T& x) {
  vector<T> v; sequence(v, x); v.reserve(9); v.resize(3, x); v.emplace_back();
  sort(v.begin(), v.end(), greater<T>()); sort(v.begin(), v.end(), greater<>()); sort(v.rbegin(), v.rend());
  v.erase(unique(v.begin(), v.end()), v.end()); fill(v.begin(), v.end(), x);
  nothing(*max_element(v.begin(), v.end()), *min_element(v.begin(), v.end()), find(v.begin(), v.end(), x) == v.end(),
          lower_bound(v.begin(), v.end(), x) - v.begin(), upper_bound(v.begin(), v.end(), x) - v.begin(), v == v);
}

template <class T> void tables(const T& x) {
  vector<vector<T>> v(3, vector<T>(4)), w(3, vector<T>(4, x)), sized(3), copied(v), moved(std::move(w));
  v = copied; v = std::move(moved); v.resize(5); v.push_back(v[0]); v.push_back(vector<T>(4)); v.push_back({x});
  v.emplace_back(); v.assign(3, vector<T>(4, x)); v.clear();
  nothing(v.size(), v.empty(), v.back(), as_const(v)[0]);
  for (auto& row : v) for (auto& value : row) nothing(value);
  for (const auto& row : as_const(v)) nothing(row);
}

template <class M, class K, class V> void maps(M& m, const K& k, const V& v) {
  M copied(m), moved(std::move(copied)); m = moved; m = std::move(moved);
  m[k] = v; m[K(k)]++; m.insert({k, v}); m.emplace(k, v); m.erase(k); m.erase(m.begin()); m.at(k) = v; m.clear();
  nothing(m.find(k) == m.end(), m.count(k), m.contains(k), m.size(), m.empty(),
    as_const(m).find(k) == as_const(m).end());
  for (auto& [key, value] : m) nothing(key, value);
  for (const auto& pair : as_const(m)) nothing(pair.first);
  for (auto i = m.begin(); i != m.end(); ++i) nothing(i->second);
}
template <class K, class V> void ordered_map(const K& k, const V& v) {
  map<K, V> m; maps(m, k, v);
  nothing(m.lower_bound(k) == m.end(), m.upper_bound(k) == m.end(), m.rbegin()->second, prev(m.end())->first);
}
template <class K, class V> void hashed_map(const K& k, const V& v) { unordered_map<K, V> m; maps(m, k, v); }

template <class S, class K> void sets(S& s, const K& k) {
  vector<K> keys; S copied(s), moved(std::move(copied)), ranged(keys.begin(), keys.end()); s = moved;
  s = std::move(moved);
  s.insert(k); s.insert(K(k)); s.emplace(k); s.erase(k); s.erase(s.begin()); s.clear();
  nothing(s.find(k) == s.end(), s.count(k), s.contains(k), s.size(), s.empty());
  for (const auto& value : s) nothing(value);
}
template <class K> void ordered_set(const K& k) {
  set<K> s; sets(s, k); nothing(s.lower_bound(k) == s.end(), s.upper_bound(k) == s.end(), *s.rbegin(),
    *prev(s.end()));
}
template <class K> void hashed_set(const K& k) { unordered_set<K> s; sets(s, k); }

template <class Q, class T> void heaps(const T& x) {
  Q q; q.push(x); q.push(T(x)); q.emplace(x); nothing(q.top(), q.empty(), q.size()); q.pop();
}
template <class T> void queues(const T& x) {
  heaps<priority_queue<T>>(x); heaps<priority_queue<T, vector<T>, greater<T>>>(x);
  heaps<priority_queue<T, vector<T>, greater<>>>(x);
  queue<T> q; q.push(x); q.push(T(x)); q.emplace(x); nothing(q.front(), q.empty(), q.size()); q.pop();
}
template <class T> void stacks(const T& x) {
  stack<T> s; s.push(x); s.push(T(x)); s.emplace(x); nothing(s.top(), s.empty(), s.size()); s.pop();
}
template <class T> void deques(const T& x) {
  deque<T> d; d.push_back(x); d.push_front(x); d.pop_back(); d.pop_front(); d.emplace_back(x); d.clear();
  nothing(d.front(), d.back(), d.empty(), d.size(), d[0]);
  for (auto& v : d) nothing(v);
}

template <class T> void numbers(T x) {
  vector<T> v; T a[9]; sort(a, a + 9); fill(a, a + 9, x); swap(x, x); partial_sum(v.begin(), v.end(), v.begin());
  iota(v.begin(), v.end(), 0); next_permutation(v.begin(), v.end());
  nothing(max(x, x), min(x, x), max({x, x}), min({x, x}), accumulate(v.begin(), v.end(), 0),
          accumulate(v.begin(), v.end(), 0LL), count(v.begin(), v.end(), x), binary_search(v.begin(), v.end(), x),
          to_string(x));
  cin >> x; cout << x; stringstream s; s >> x; s << x; istringstream i("1"); i >> x; ostringstream o; o << x;
}

inline void text(string s, char c, int i) {
  string filled(3, c), ranged(s.begin(), s.end()), reversed(s.rbegin(), s.rend());
  s += c; s += s; s += "a"; s = s + s; s = s + "a"; s = "a" + s; s = s + c; s = c + s; s = "a"; s.append("a");
  s.push_back(c); s.pop_back(); s.erase(1, 2); s.insert(1, "a"); s.replace(1, 2, "a"); s.resize(4); s.clear();
  nothing(s.substr(1), s.find("a"), s.find(c), s.find(s), s == "a", s == s, s != s, s < s, s > s, stoi(s), stoll(s),
          stod(s), count(s.begin(), s.end(), c), s.front(), s.back(), s.compare(s), s.at(0), s[0], as_const(s)[0]);
  reverse(s.begin(), s.end()); sort(s.begin(), s.end()); s.erase(unique(s.begin(), s.end()), s.end());
  for (char& letter : s) nothing(letter);
  for (char letter : as_const(s)) nothing(letter);
  stringstream stream(s); while (stream >> s) {} while (getline(stream, s, ' ')) {} nothing(stream.str());
  istringstream in(s); in >> s >> c; ostringstream out; out << s << c << "a"; nothing(out.str());
  cin >> s >> c; getline(cin, s); cerr << s;
  cout << s << c << "a" << '\n' << size_t(i) << true << fixed << setprecision(4) << setw(3) << setfill('0') << endl;
}

inline void all(string s, int i, long long l, double d, char c, pair<int, int> p, pair<long long, int> q) {
  vectors(i); vectors(l); vectors(d); vectors(s); vectors(p); vectors(q);
  vector<char> letters(3, c); letters.push_back(c); nothing(letters[0], letters.size());
  vector<bool> bits(3), more(3, true); bits.push_back(true); bits.assign(3, false); bits[1] = true;
  nothing(bool(bits[1]));
  tables(i); tables(l); tables(c); tables(p); vector<vector<string>> groups; groups.push_back({s});
  groups[0].push_back(s);
  ordered_map(i, i); ordered_map(l, i); ordered_map(c, i); ordered_map(s, i); ordered_map(l, l);
  hashed_map(i, i); hashed_map(l, i); hashed_map(c, i); hashed_map(s, i);
  map<int, vector<int>> lists; lists[i].push_back(i); map<string, vector<string>> words; words[s].push_back(s);
  unordered_map<int, vector<int>> hashed_lists; hashed_lists[i].push_back(i);
  unordered_map<string, vector<string>> hashed_words; hashed_words[s].push_back(s);
  for (auto& [key, value] : lists) nothing(key, value);
  for (auto& [key, value] : words) nothing(key, value);
  for (auto& [key, value] : hashed_words) nothing(key, value);
  ordered_set(i); ordered_set(l); ordered_set(s); ordered_set(c); ordered_set(p);
  hashed_set(i); hashed_set(l); hashed_set(s); hashed_set(c);
  multiset<int> many; many.insert(i); many.erase(many.find(i)); nothing(many.count(i), *many.begin(), *many.rbegin());
  queues(i); queues(p); queues(q); queues(l); stacks(i); stacks(c); stacks(s); deques(i); deques(p);
  numbers(i); numbers(l); numbers(d); nothing(gcd(i, i), gcd(l, l), lcm(i, i), abs(i), make_pair(i, i), make_pair(l,
    i));
  text(s, c, i);
  function<int(int)> f = [](int x) { return x; }; function<void(int)> g = [](int) {}; nothing(f(i)); g(i);
  mt19937 random(1); nothing(random()); auto owned = make_unique<int>(i); auto shared = make_shared<int>(i);
}
}  // namespace __plumb
)LIBRARY";
}

}  // namespace plumb
