// SPDX-License-Identifier: MIT
#include "fiber.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <cxxabi.h>
#include <link.h>

#if !defined(__x86_64__) || !defined(__linux__)
#error "the explorer runs on Linux on x86-64 only"
#endif

asm(R"(
.text
.globl explore_switch
.type explore_switch,@function
explore_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size explore_switch,.-explore_switch
.globl explore_trampoline
.type explore_trampoline,@function
explore_trampoline:
  .cfi_startproc
  .cfi_undefined rip
  xorl %ebp, %ebp
  call explore_fiber_main
  ud2
  .cfi_endproc
.size explore_trampoline,.-explore_trampoline
)");
extern "C" void explore_trampoline();

namespace explore {

const char* name_of(Op op) noexcept {
  static constexpr const char* kNames[] = {
      "running", "start", "load",   "store",  "exchange",   "compare_exchange", "lock",  "try_lock",
      "unlock",  "wait",  "asleep", "relock", "notify_one", "notify_all",       "spawn", "join",
      "detach",  "yield", "block",  "other",  "ended"};
  return kNames[static_cast<int>(op)];
}

void ThreadStorage::find() {
  // The first module is the program itself; those of shared libraries stay where they are.
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* self) {
        auto& storage = *static_cast<ThreadStorage*>(self);
        for (int i = 0; i < info->dlpi_phnum; ++i) {
          const auto& header = info->dlpi_phdr[i];
          if (header.p_type != PT_TLS) continue;
          storage.current_ = static_cast<unsigned char*>(info->dlpi_tls_data);
          storage.size_ = header.p_memsz;
          storage.image_ = reinterpret_cast<const unsigned char*>(info->dlpi_addr + header.p_vaddr);
          storage.image_size_ = header.p_filesz;
        }
        return 1;
      },
      this);
  if (size_ > Fiber::kMaxThreadLocals) {
    std::fprintf(stderr, "the program's thread_local variables take %zu bytes: raise %s\n", size_,
                 "Fiber::kMaxThreadLocals");
    std::abort();
  }
}

void ThreadStorage::initialize(Fiber& fiber) const noexcept {
  std::memset(fiber.thread_locals, 0, size_);
  std::memcpy(fiber.thread_locals, image_, image_size_);
  fiber.caught_exceptions[0] = fiber.caught_exceptions[1] = nullptr;
  fiber.destructor_count = 0;
}

void ThreadStorage::save(unsigned char* thread_locals, void** caught_exceptions) const noexcept {
  std::memcpy(thread_locals, current_, size_);
  std::memcpy(caught_exceptions, abi::__cxa_get_globals(), 2 * sizeof(void*));
}

void ThreadStorage::restore(const unsigned char* thread_locals,
                            void* const* caught_exceptions) const noexcept {
  std::memcpy(current_, thread_locals, size_);
  std::memcpy(abi::__cxa_get_globals(), caught_exceptions, 2 * sizeof(void*));
}

void prepare_stack(Fiber& fiber) noexcept {
  auto** top = reinterpret_cast<void**>(fiber.stack + Fiber::kStackSize);
  *--top = nullptr;
  *--top = nullptr;  // so that the stack is aligned to 16 bytes in the trampoline
  *--top = reinterpret_cast<void*>(&explore_trampoline);
  for (int saved_register = 0; saved_register != 6; ++saved_register) *--top = nullptr;
  fiber.stack_pointer = top;
}

}  // namespace explore
