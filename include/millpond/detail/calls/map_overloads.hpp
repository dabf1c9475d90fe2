// SPDX-License-Identifier: MIT
#ifndef MILLPOND_DETAIL_CALLS_MAP_OVERLOADS_HPP
#define MILLPOND_DETAIL_CALLS_MAP_OVERLOADS_HPP

#include <millpond/detail/calls/chunking.hpp>
#include <millpond/detail/calls/invoke.hpp>
#include <millpond/detail/calls/map_call.hpp>
#include <millpond/detail/platform/config.hpp>
#include <millpond/options.hpp>

#include <concepts>
#include <initializer_list>
#include <span>
#include <utility>
#include <vector>

namespace millpond::inline MILLPOND_ABI::detail {

/// The other ways to write the calls that `Pool` has as `map(f, items, options)`: a plain number
/// as chunksize, items in braces, both. And a sentence for those who forget the items.
template <class Pool, class Order>
class MapOverloads {
 public:
  template <class F, class Items, std::integral Chunksize>
  auto map(F&& f, Items&& items, Chunksize chunksize) {
    return pool().map(std::forward<F>(f), std::forward<Items>(items),
                      {.chunksize = to_ptrdiff(chunksize)});
  }
  template <class F, class T>
  auto map(F&& f, std::initializer_list<T> items, BlockingMapOptions<Order> options = {}) {
    return pool().map(std::forward<F>(f), std::span<const T>(items.begin(), items.size()), options);
  }
  template <class F, class T, std::integral Chunksize>
  auto map(F&& f, std::initializer_list<T> items, Chunksize chunksize) {
    return pool().map(std::forward<F>(f), std::span<const T>(items.begin(), items.size()),
                      {.chunksize = to_ptrdiff(chunksize)});
  }
  template <class F>
  void map(F&&) {
    static_assert(always_false<F>, "millpond: map needs items: map(f, items)");
  }

  template <class Out, class F, class Items, std::integral Chunksize>
  void map_into(Out&& out, F&& f, Items&& items, Chunksize chunksize) {
    pool().map_into(std::forward<Out>(out), std::forward<F>(f), std::forward<Items>(items),
                    {.chunksize = to_ptrdiff(chunksize)});
  }
  template <class Out, class F, class T>
  void map_into(Out&& out, F&& f, std::initializer_list<T> items,
                BlockingMapOptions<Order> options = {}) {
    pool().map_into(std::forward<Out>(out), std::forward<F>(f),
                    std::span<const T>(items.begin(), items.size()), options);
  }
  template <class Out, class F, class T, std::integral Chunksize>
  void map_into(Out&& out, F&& f, std::initializer_list<T> items, Chunksize chunksize) {
    pool().map_into(std::forward<Out>(out), std::forward<F>(f),
                    std::span<const T>(items.begin(), items.size()),
                    {.chunksize = to_ptrdiff(chunksize)});
  }
  template <class Out, class F>
  void map_into(Out&&, F&&) {
    static_assert(always_false<F>, "millpond: map_into needs items: map_into(out, f, items)");
  }

  template <class F, class Items, std::integral Chunksize>
  auto starmap(F&& f, Items&& items, Chunksize chunksize) {
    return pool().starmap(std::forward<F>(f), std::forward<Items>(items),
                          {.chunksize = to_ptrdiff(chunksize)});
  }
  template <class F, class T>
  auto starmap(F&& f, std::initializer_list<T> items, BlockingMapOptions<Order> options = {}) {
    return pool().starmap(std::forward<F>(f), std::span<const T>(items.begin(), items.size()),
                          options);
  }
  template <class F, class T, std::integral Chunksize>
  auto starmap(F&& f, std::initializer_list<T> items, Chunksize chunksize) {
    return pool().starmap(std::forward<F>(f), std::span<const T>(items.begin(), items.size()),
                          {.chunksize = to_ptrdiff(chunksize)});
  }
  template <class F>
  void starmap(F&&) {
    static_assert(always_false<F>, "millpond: starmap needs items: starmap(f, items)");
  }

  template <class F, class Items, std::integral Chunksize>
  auto map_async(F&& f, Items&& items, Chunksize chunksize) {
    return pool().map_async(std::forward<F>(f), std::forward<Items>(items),
                            {.chunksize = to_ptrdiff(chunksize)});
  }
  template <class F, class T>
  auto map_async(
      F&& f, std::initializer_list<T> items,
      MapOptions<async_map_result_t<Passing::whole, F, std::vector<T>>, Order> options = {}) {
    return pool().map_async(std::forward<F>(f), std::vector<T>(items), std::move(options));
  }
  template <class F, class T, std::integral Chunksize>
  auto map_async(F&& f, std::initializer_list<T> items, Chunksize chunksize) {
    return pool().map_async(std::forward<F>(f), std::vector<T>(items),
                            {.chunksize = to_ptrdiff(chunksize)});
  }
  template <class F>
  void map_async(F&&) {
    static_assert(always_false<F>, "millpond: map_async needs items: map_async(f, items)");
  }

  template <class F, class Items, std::integral Chunksize>
  auto starmap_async(F&& f, Items&& items, Chunksize chunksize) {
    return pool().starmap_async(std::forward<F>(f), std::forward<Items>(items),
                                {.chunksize = to_ptrdiff(chunksize)});
  }
  template <class F, class T>
  auto starmap_async(
      F&& f, std::initializer_list<T> items,
      MapOptions<async_map_result_t<Passing::unpacked, F, std::vector<T>>, Order> options = {}) {
    return pool().starmap_async(std::forward<F>(f), std::vector<T>(items), std::move(options));
  }
  template <class F, class T, std::integral Chunksize>
  auto starmap_async(F&& f, std::initializer_list<T> items, Chunksize chunksize) {
    return pool().starmap_async(std::forward<F>(f), std::vector<T>(items),
                                {.chunksize = to_ptrdiff(chunksize)});
  }
  template <class F>
  void starmap_async(F&&) {
    static_assert(always_false<F>, "millpond: starmap_async needs items: starmap_async(f, items)");
  }

  template <class F, class Items, std::integral Chunksize>
  auto imap(F&& f, Items&& items, Chunksize chunksize) {
    return pool().imap(std::forward<F>(f), std::forward<Items>(items),
                       {.chunksize = to_ptrdiff(chunksize)});
  }
  template <class F, class T>
  auto imap(F&& f, std::initializer_list<T> items, BasicImapOptions<Order> options = {}) {
    return pool().imap(std::forward<F>(f), std::vector<T>(items), options);
  }
  template <class F, class T, std::integral Chunksize>
  auto imap(F&& f, std::initializer_list<T> items, Chunksize chunksize) {
    return pool().imap(std::forward<F>(f), std::vector<T>(items),
                       {.chunksize = to_ptrdiff(chunksize)});
  }
  template <class F>
  void imap(F&&) {
    static_assert(always_false<F>, "millpond: imap needs items: imap(f, items)");
  }

  template <class F, class Items, std::integral Chunksize>
  auto imap_unordered(F&& f, Items&& items, Chunksize chunksize) {
    return pool().imap_unordered(std::forward<F>(f), std::forward<Items>(items),
                                 {.chunksize = to_ptrdiff(chunksize)});
  }
  template <class F, class T>
  auto imap_unordered(F&& f, std::initializer_list<T> items, BasicImapOptions<Order> options = {}) {
    return pool().imap_unordered(std::forward<F>(f), std::vector<T>(items), options);
  }
  template <class F, class T, std::integral Chunksize>
  auto imap_unordered(F&& f, std::initializer_list<T> items, Chunksize chunksize) {
    return pool().imap_unordered(std::forward<F>(f), std::vector<T>(items),
                                 {.chunksize = to_ptrdiff(chunksize)});
  }
  template <class F>
  void imap_unordered(F&&) {
    static_assert(always_false<F>,
                  "millpond: imap_unordered needs items: imap_unordered(f, items)");
  }

  template <class F, class Items, std::integral Chunksize>
  auto istarmap(F&& f, Items&& items, Chunksize chunksize) {
    return pool().istarmap(std::forward<F>(f), std::forward<Items>(items),
                           {.chunksize = to_ptrdiff(chunksize)});
  }
  template <class F, class T>
  auto istarmap(F&& f, std::initializer_list<T> items, BasicImapOptions<Order> options = {}) {
    return pool().istarmap(std::forward<F>(f), std::vector<T>(items), options);
  }
  template <class F, class T, std::integral Chunksize>
  auto istarmap(F&& f, std::initializer_list<T> items, Chunksize chunksize) {
    return pool().istarmap(std::forward<F>(f), std::vector<T>(items),
                           {.chunksize = to_ptrdiff(chunksize)});
  }
  template <class F>
  void istarmap(F&&) {
    static_assert(always_false<F>, "millpond: istarmap needs items: istarmap(f, items)");
  }

  template <class F, class Items, std::integral Chunksize>
  auto istarmap_unordered(F&& f, Items&& items, Chunksize chunksize) {
    return pool().istarmap_unordered(std::forward<F>(f), std::forward<Items>(items),
                                     {.chunksize = to_ptrdiff(chunksize)});
  }
  template <class F, class T>
  auto istarmap_unordered(F&& f, std::initializer_list<T> items,
                          BasicImapOptions<Order> options = {}) {
    return pool().istarmap_unordered(std::forward<F>(f), std::vector<T>(items), options);
  }
  template <class F, class T, std::integral Chunksize>
  auto istarmap_unordered(F&& f, std::initializer_list<T> items, Chunksize chunksize) {
    return pool().istarmap_unordered(std::forward<F>(f), std::vector<T>(items),
                                     {.chunksize = to_ptrdiff(chunksize)});
  }
  template <class F>
  void istarmap_unordered(F&&) {
    static_assert(always_false<F>,
                  "millpond: istarmap_unordered needs items: istarmap_unordered(f, items)");
  }

 protected:
  MapOverloads() = default;
  ~MapOverloads() = default;

 private:
  Pool& pool() noexcept { return static_cast<Pool&>(*this); }
};

}  // namespace millpond::inline MILLPOND_ABI::detail

#endif  // MILLPOND_DETAIL_CALLS_MAP_OVERLOADS_HPP
