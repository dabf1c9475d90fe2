// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_IMAP_IMAP_CHUNK_HPP
#define MILLPOND_DETAIL_IMAP_IMAP_CHUNK_HPP

#include <millpond/detail/platform/config.hpp>
#include <millpond/detail/platform/smaller.hpp>
#include <millpond/detail/platform/sync.hpp>
#include <millpond/detail/results/outcome.hpp>

#include <cstddef>
#include <memory>
#include <new>
#include <utility>

namespace millpond::inline MILLPOND_ABI::detail {

/// Places for some items and their results. The items are bytes to all but the typed part of the
/// imap, which constructs and destroys them.
template <class Value>
struct ImapSegment {
  using Result = Outcome<Value>;
  ImapSegment* next = nullptr;
  Result* results = nullptr;
  std::byte* items = nullptr;
};

/// Items of an imap that were read together, and are run one after another by one thread. Has one
/// segment, or as many as a large chunk needs. Belongs to one step of its way after another: the
/// thread that reads, the one that has claimed it, the readers, the spare ones.
template <class Value>
struct ImapChunk {
  ImapSegment<Value> first;
  std::size_t size = 0;            // items
  ImapChunk* next = nullptr;       // in a list: of those done, of spare ones
  atomic<bool> done{false};        // all results are there; of ordered imaps
  atomic<std::size_t> emptied{0};  // results that readers are through with
  ImapChunk* allocated_before = nullptr;
};

/// All chunks of an imap. What readers have emptied is used again, so that a stream allocates no
/// more than what it ever held at once.
///
/// Thread safety: take() and what is made, for the thread that reads the input; give_back(), for
/// the one that has locked the front. The two meet in handed_over_.
template <class Value>
class ImapChunks {
 public:
  using Segment = ImapSegment<Value>;
  using Chunk = ImapChunk<Value>;
  using Result = Outcome<Value>;

  ImapChunks(std::size_t chunksize, std::size_t item_size, std::size_t item_alignment) noexcept
      : item_size_(item_size),
        item_alignment_(item_alignment),
        alignment_(larger(larger(kCacheLine, item_alignment), alignof(Result))),
        segment_size_(smaller(chunksize, most_in_a_segment(item_size))) {}
  ImapChunks(const ImapChunks&) = delete;
  ImapChunks& operator=(const ImapChunks&) = delete;
  ~ImapChunks();

  /// How many items all segments have room for.
  std::size_t segment_size() const noexcept { return segment_size_; }

  /// An empty chunk. Throws std::bad_alloc.
  Chunk& take();
  /// One of take() that was not needed.
  void put_back(Chunk& chunk) noexcept { push(spare_, chunk); }
  /// The segment behind this one. Throws std::bad_alloc.
  Segment& after(Segment& segment);

  /// A chunk whose results are all taken.
  void give_back(Chunk& chunk) noexcept {
    push(given_back_, chunk);
    if (handed_over_.load(memory_order_relaxed) == nullptr) {
      handed_over_.store(std::exchange(given_back_, nullptr), memory_order_release);
    }
  }

  /// Calls visit(Result&) for all results there are, taken or not. Only at the imap's end.
  template <class Visit>
  void for_each_result(Visit visit) {
    for (Chunk* chunk = newest_; chunk != nullptr; chunk = chunk->allocated_before) {
      for (Segment* segment = &chunk->first; segment != nullptr; segment = segment->next) {
        for (std::size_t i = 0; i != segment_size_; ++i) visit(segment->results[i]);
      }
    }
  }

 private:
  static constexpr std::size_t kCacheLine = 64;
  static constexpr std::size_t kMostBytes = 16 * 1024;

  static std::size_t most_in_a_segment(std::size_t item_size) noexcept {
    return larger(kMostBytes / (sizeof(Result) + item_size), std::size_t{1});
  }
  static void push(Chunk*& list, Chunk& chunk) noexcept {
    chunk.next = std::exchange(list, &chunk);
  }
  static std::size_t round_up(std::size_t size, std::size_t alignment) noexcept {
    return (size + alignment - 1) / alignment * alignment;
  }

  template <class Head>
  Head& allocate(Segment& (*segment_of)(Head&));
  template <class Head>
  void free(Head& head) noexcept {
    std::destroy_at(&head);
    ::operator delete(static_cast<void*>(&head), std::align_val_t{alignment_});
  }

  const std::size_t item_size_;
  const std::size_t item_alignment_;
  const std::size_t alignment_;
  const std::size_t segment_size_;
  Chunk* spare_ = nullptr;       // of the thread that reads
  Chunk* newest_ = nullptr;      // likewise: all there are
  Chunk* given_back_ = nullptr;  // of the one that has locked the front
  atomic<Chunk*> handed_over_{nullptr};
};

template <class Value>
ImapChunk<Value>& ImapChunks<Value>::take() {
  if (spare_ == nullptr) {
    // acquire: pairs with give_back(), so that readers are done with what is used again.
    spare_ = handed_over_.load(memory_order_acquire);
    if (spare_ != nullptr) handed_over_.store(nullptr, memory_order_relaxed);
  }
  if (spare_ == nullptr) {
    Chunk& chunk = allocate<Chunk>([](Chunk& head) -> Segment& { return head.first; });
    chunk.allocated_before = std::exchange(newest_, &chunk);
    return chunk;
  }
  Chunk& chunk = *std::exchange(spare_, spare_->next);
  chunk.size = 0;
  chunk.done.store(false, memory_order_relaxed);
  chunk.emptied.store(0, memory_order_relaxed);
  return chunk;
}

template <class Value>
ImapSegment<Value>& ImapChunks<Value>::after(Segment& segment) {
  if (segment.next == nullptr) {
    segment.next = &allocate<Segment>([](Segment& head) -> Segment& { return head; });
  }
  return *segment.next;
}

/// One block: the head, the results, the items.
template <class Value>
template <class Head>
Head& ImapChunks<Value>::allocate(Segment& (*segment_of)(Head&)) {
  const std::size_t results_at = round_up(sizeof(Head), alignof(Result));
  const std::size_t items_at =
      round_up(results_at + segment_size_ * sizeof(Result), item_alignment_);
  auto* const block = static_cast<std::byte*>(
      ::operator new(items_at + segment_size_ * item_size_, std::align_val_t{alignment_}));
  Head& head = *std::construct_at(reinterpret_cast<Head*>(block));
  Segment& segment = segment_of(head);
  segment.results = reinterpret_cast<Result*>(block + results_at);
  std::uninitialized_value_construct_n(segment.results, segment_size_);
  segment.items = block + items_at;
  return head;
}

template <class Value>
ImapChunks<Value>::~ImapChunks() {
  for_each_result([](Result& result) { std::destroy_at(&result); });
  while (newest_ != nullptr) {
    Chunk& chunk = *std::exchange(newest_, newest_->allocated_before);
    for (Segment* segment = chunk.first.next; segment != nullptr;) {
      free(*std::exchange(segment, segment->next));
    }
    free(chunk);
  }
}

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_IMAP_IMAP_CHUNK_HPP
