// SPDX-License-Identifier: MIT
#include "strategy.hpp"

#include <algorithm>

namespace explore {

HashSet::HashSet(unsigned bits)
    : slots_(static_cast<std::uint64_t*>(std::calloc(std::size_t{1} << bits, 8))),
      mask_((std::uint64_t{1} << bits) - 1) {
  if (slots_ == nullptr) std::abort();
}

bool HashSet::contains(std::uint64_t hash) const noexcept {
  hash |= static_cast<std::uint64_t>(hash == 0);
  for (std::uint64_t i = hash & mask_;; i = (i + 1) & mask_) {
    if (slots_[i] == hash) return true;
    if (slots_[i] == 0) return false;
  }
}

bool HashSet::insert(std::uint64_t hash) noexcept {
  if (size_ > mask_ / 4 * 3) return false;
  hash |= static_cast<std::uint64_t>(hash == 0);
  std::uint64_t i = hash & mask_;
  for (; slots_[i] != 0; i = (i + 1) & mask_) {
    if (slots_[i] == hash) return true;
  }
  slots_[i] = hash;
  ++size_;
  return true;
}

Strategy::Strategy(const Options& options)
    : options_(options),
      seen_(options.method == Method::exhaustive && options.prune ? options.table_bits : 1),
      seen_ends_(options.table_bits) {}

void Strategy::begin_execution(std::uint64_t number, std::uint32_t longest) {
  depth_ = 0;
  pruned_ = false;
  budget_ = options_.bound;
  decisions_ = 0;
  random_.seed(mix(options_.seed, number + 1));
  lowest_ = 0;
  change_points_.clear();
  for (int i = 1; i < options_.pct_depth; ++i) {
    change_points_.push_back(1 + random_.below(std::max(longest, 20U)));
  }
}

void Strategy::begin_thread(int thread) noexcept {
  priorities_[thread] = (std::int64_t{1} << 40) + random_.below(1U << 30);
}

bool Strategy::advance(std::uint64_t state) {
  if (!seen_ends_.insert(state)) table_full_ = true;
  if (options_.method != Method::exhaustive) return options_.method != Method::replay;
  while (!path_.empty()) {
    if (++path_.back().chosen < path_.back().count) return true;
    path_.pop_back();
  }
  return false;
}

int Strategy::choose(const Decision& decision) {
  ++decisions_;
  switch (options_.method) {
    case Method::exhaustive:
      return choose_exhaustively(decision);
    case Method::pct:
      return choose_by_priority(decision);
    case Method::random:
      return choose_at_random(decision);
    case Method::replay:
      return choose_as_given(decision);
  }
  return 0;
}

/// A node is where more than one alternative can be afforded. A state that was met before, with at
/// least as much left of the bound, has been explored from there on.
int Strategy::choose_exhaustively(const Decision& decision) {
  int affordable[kMaxThreads * 3 + 64];
  int count = 0;
  for (int i = 0; i < decision.count; ++i) {
    if (decision.alternatives[i].cost <= budget_) affordable[count++] = i;
  }
  if (count == 1 || (pruned_ && depth_ >= path_.size())) return affordable[0];
  int chosen = 0;
  if (depth_ < path_.size()) {
    const Node& node = path_[depth_];
    if (node.count != count || node.state != decision.state) diverged_ = true;
    chosen = affordable[std::min<int>(node.chosen, count - 1)];
  } else {
    if (options_.prune) {
      const std::uint64_t key =
          mix(mix(decision.state,
                  static_cast<std::uint64_t>(decision.thread) * 31 + decision.must_yield),
              decision.is_data ? 6 : 5);
      for (int budget = budget_; budget <= options_.bound; ++budget) {
        if (seen_.contains(mix(key, static_cast<std::uint64_t>(budget)))) {
          pruned_ = true;
          ++pruned_count_;
          return affordable[0];
        }
      }
      if (!seen_.insert(mix(key, static_cast<std::uint64_t>(budget_)))) table_full_ = true;
    }
    path_.push_back({static_cast<std::uint16_t>(count), 0, decision.state});
    chosen = affordable[0];
  }
  ++depth_;
  budget_ -= decision.alternatives[chosen].cost;
  return chosen;
}

/// The thread of the highest priority runs; at a few random decisions the one that runs gets the
/// lowest.
int Strategy::choose_by_priority(const Decision& decision) {
  if (decision.is_data) {
    const bool is_unusual = decision.alternatives[1].cost != 0;
    if (is_unusual && random_.below(options_.one_in) != 0) return 0;
    return static_cast<int>(random_.below(static_cast<std::uint32_t>(decision.count)));
  }
  const int outside = decision.count - decision.ordinary;
  if (outside != 0 && (decision.ordinary == 0 || random_.below(options_.one_in * 4) == 0)) {
    return decision.ordinary + static_cast<int>(random_.below(static_cast<std::uint32_t>(outside)));
  }
  const bool changes =
      std::find(change_points_.begin(), change_points_.end(), decisions_) != change_points_.end();
  if (changes || decision.must_yield) priorities_[decision.thread] = --lowest_;
  int best = 0;
  for (int i = 1; i < decision.ordinary; ++i) {
    if (priorities_[decision.alternatives[i].id / 4] >
        priorities_[decision.alternatives[best].id / 4]) {
      best = i;
    }
  }
  return best;
}

int Strategy::choose_at_random(const Decision& decision) {
  const int outside = decision.count - decision.ordinary;
  if (decision.is_data && decision.alternatives[1].cost != 0 &&
      random_.below(options_.one_in) != 0) {
    return 0;
  }
  if (outside != 0 && (decision.ordinary == 0 || random_.below(options_.one_in) == 0)) {
    return decision.ordinary + static_cast<int>(random_.below(static_cast<std::uint32_t>(outside)));
  }
  return static_cast<int>(random_.below(static_cast<std::uint32_t>(decision.ordinary)));
}

int Strategy::choose_as_given(const Decision& decision) const {
  for (const Choice& choice : replay_) {
    if (choice.thread != decision.thread || choice.point != point_ || choice.nth != nth_) continue;
    for (int i = 0; i < decision.count; ++i) {
      if (decision.alternatives[i].id == choice.option) return i;
    }
  }
  return 0;
}

}  // namespace explore
