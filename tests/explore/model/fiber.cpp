// SPDX-License-Identifier: MIT
#include "fiber.hpp"

#include <asm/prctl.h>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <link.h>
#include <pthread.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <unistd.h>

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

void ThreadStorage::start() {
  // The first module is the program itself.
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* self) {
        auto& storage = *static_cast<ThreadStorage*>(self);
        for (int i = 0; i < info->dlpi_phnum; ++i) {
          const auto& header = info->dlpi_phdr[i];
          if (header.p_type != PT_TLS) continue;
          storage.offset_ =
              thread_pointer() - reinterpret_cast<std::uintptr_t>(info->dlpi_tls_data);
          storage.size_ = header.p_memsz;
          storage.image_ = reinterpret_cast<const unsigned char*>(info->dlpi_addr + header.p_vaddr);
          storage.image_size_ = header.p_filesz;
        }
        return 1;
      },
      this);
  for (std::uintptr_t& lender : lenders_) {
    std::atomic<bool> runs{false};
    pthread_t thread;
    const auto lend = [](void* flag) -> void* {
      static_cast<std::atomic<bool>*>(flag)->store(true);
      for (;;) pause();
    };
    if (pthread_create(&thread, nullptr, lend, &runs) != 0) std::abort();
    while (!runs.load()) sched_yield();
    lender = static_cast<std::uintptr_t>(thread);  // where its thread pointer points
  }
}

ThreadStorage::Block ThreadStorage::block(int number) const noexcept {
  return {reinterpret_cast<unsigned char*>(lenders_[number] - offset_), size_};
}

void ThreadStorage::initialize(Fiber& fiber) const noexcept {
  const Block own = block(fiber.id);
  if (size_ != 0) {
    std::memset(own.begin, 0, size_);
    std::memcpy(own.begin, image_, image_size_);
  }
  fiber.thread_pointer = lenders_[fiber.id];
  fiber.destructor_count = 0;
}

std::uintptr_t ThreadStorage::thread_pointer() noexcept {
  return static_cast<std::uintptr_t>(pthread_self());
}

void ThreadStorage::set_thread_pointer(std::uintptr_t pointer) noexcept {
  static const bool has_instruction = (getauxval(AT_HWCAP2) & 2) != 0;
  if (has_instruction) {
    asm volatile("wrfsbase %0" : : "r"(pointer) : "memory");
  } else {
    syscall(SYS_arch_prctl, ARCH_SET_FS, pointer);
  }
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
