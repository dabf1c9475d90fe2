// SPDX-License-Identifier: MIT
//
// The memory of W11: "bytes" is what the process grew by at most while the input was read. It
// should not depend on the input's length.

#include "support/memory.hpp"

#include <cstdint>

#include <benchmark/benchmark.h>

#include "support/workload.hpp"
#include "w11_imap/contenders.hpp"

namespace {

using namespace bench::w11;

template <class SumBy>
void measure(benchmark::State& state, SumBy sum_by) {
  for (auto _ : state) {
    const bench::MemoryGrowth growth;
    const std::int64_t sum = sum_by(state.range(1), state.range(2), state.range(0));
    state.counters["bytes"] = static_cast<double>(growth.peak_bytes());
    bench::check(state, sum, expected_sum(state.range(0)));
  }
}

void millpond_imap_memory(benchmark::State& state) {
  measure(state, sum_by_millpond<Yield::in_order>);
}

void millpond_imap_unordered_memory(benchmark::State& state) {
  measure(state, sum_by_millpond<Yield::as_done>);
}

#ifdef MILLPOND_BENCH_TBB
void tbb_pipeline_memory(benchmark::State& state) { measure(state, sum_by_tbb<Yield::in_order>); }
#endif

void once(benchmark::internal::Benchmark* benchmark) {
  with_chunksizes(benchmark, {100'000, 1'000'000, 10'000'000}, {2});
  benchmark->Iterations(1);
}

BENCHMARK(millpond_imap_memory)->Apply(once);
BENCHMARK(millpond_imap_unordered_memory)->Apply(once);
#ifdef MILLPOND_BENCH_TBB
BENCHMARK(tbb_pipeline_memory)->Apply(once);
#endif

}  // namespace
