// SPDX-License-Identifier: MIT
//
// Hashes every regular file below a folder, first one after the other, then with a thread pool.
//
//   hash_files [folder [threads]]      default: /usr/include (or .), a thread for every CPU
//
// imap_unordered() is lazy. The folder is walked by the pool's own threads, a few files ahead of
// the hashing; no list of files is ever made, and each digest is handed out as soon as it is known.
//
// The hash is FNV-1a, 64 bits: short enough for an example, and not cryptographic. It tells
// accidental changes from none, and protects against nobody.

#include <millpond/millpond.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace fs = std::filesystem;

namespace {

struct FileHash {
  std::uint64_t bytes = 0;
  std::uint64_t digest = 0;
};

struct Summary {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::uint64_t digest = 0;

  // Addition, unlike hashing on, gives the same sum in any order.
  void add(const FileHash& file) {
    files += 1;
    bytes += file.bytes;
    digest += file.digest;
  }

  bool operator==(const Summary&) const = default;
};

std::uint64_t fnv1a(std::uint64_t digest, std::string_view bytes) {
  for (const char byte : bytes) {
    digest ^= static_cast<unsigned char>(byte);
    digest *= 0x100000001b3;
  }
  return digest;
}

// Name and contents. Nothing for what is no regular file or may not be read.
std::optional<FileHash> hash_file(const fs::directory_entry& entry) {
  std::error_code ignored;
  if (!fs::is_regular_file(entry.symlink_status(ignored))) {
    return std::nullopt;
  }
  std::ifstream file(entry.path(), std::ios::binary);
  if (!file) {
    return std::nullopt;
  }
  FileHash hash{.bytes = 0, .digest = fnv1a(0xcbf29ce484222325, entry.path().string())};
  std::vector<char> buffer(64 * 1024);
  do {
    file.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    const auto size = static_cast<std::size_t>(file.gcount());
    hash.bytes += size;
    hash.digest = fnv1a(hash.digest, {buffer.data(), size});
  } while (file);
  return hash;
}

fs::recursive_directory_iterator walk(const fs::path& folder) {
  return fs::recursive_directory_iterator(folder, fs::directory_options::skip_permission_denied);
}

Summary hash_serially(const fs::path& folder) {
  Summary summary;
  for (const fs::directory_entry& entry : walk(folder)) {
    if (const auto hash = hash_file(entry)) {
      summary.add(*hash);
    }
  }
  return summary;
}

Summary hash_pooled(millpond::ThreadPool& pool, const fs::path& folder) {
  Summary summary;
  for (const auto& hash : pool.imap_unordered(hash_file, walk(folder), {.chunksize = 16})) {
    if (hash) {
      summary.add(*hash);
    }
  }
  return summary;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

fs::path default_folder() {
  return fs::is_directory("/usr/include") ? "/usr/include" : fs::current_path();
}

}  // namespace

int main(int argc, char** argv) try {
  const fs::path folder = argc > 1 ? fs::path(argv[1]) : default_folder();
  const auto threads = argc > 2 ? std::stoul(argv[2]) : millpond::cpu_count();
  millpond::ThreadPool pool(threads);

  // Once for the page cache, so that neither of the two that count has to wait for the disk.
  hash_serially(folder);

  const auto serial_start = std::chrono::steady_clock::now();
  const Summary serial = hash_serially(folder);
  const double serial_seconds = seconds_since(serial_start);

  const auto pooled_start = std::chrono::steady_clock::now();
  const Summary pooled = hash_pooled(pool, folder);
  const double pooled_seconds = seconds_since(pooled_start);

  std::printf("%s: %ju files, %.1f MB, combined digest %016jx\n", folder.string().c_str(),
              std::uintmax_t{pooled.files}, static_cast<double>(pooled.bytes) / 1e6,
              std::uintmax_t{pooled.digest});
  std::printf("serial      %7.3f s\n", serial_seconds);
  std::printf("%3zu threads %7.3f s, %.1f times as fast\n", pool.size(), pooled_seconds,
              serial_seconds / pooled_seconds);
  if (serial != pooled) {
    std::fprintf(
        stderr, "error: the two runs differ: %ju files, %ju bytes, digest %016jx serially\n",
        std::uintmax_t{serial.files}, std::uintmax_t{serial.bytes}, std::uintmax_t{serial.digest});
    return 1;
  }
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "hash_files: %s\nusage: hash_files [folder [threads]]\n", error.what());
  return 2;
}
