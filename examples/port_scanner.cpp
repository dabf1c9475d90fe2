// SPDX-License-Identifier: MIT
//
// Which TCP ports of this machine are open, and who says hello there?
//
//   port_scanner [first last [threads]]            default: ports 1 to 1024, 64 threads
//   port_scanner silent [services [milliseconds]]  default: 1,024 services, 250 ms
//
// A probe connects. If somebody listens, it waits a moment for a greeting: mail servers, ssh and
// others send one unasked, web servers keep silent. So a scan is mostly waiting, and a pool waits
// for many ports at the same time, however few CPUs there are.
//
// Nothing but 127.0.0.1 is ever scanned. For there to be something to find on any machine, the
// program opens some ports itself. In the second form it opens many, all of which keep silent, and
// scans these, with a thread for each. Serially the 1,024 take more than four minutes.
//
// The guide shows parts of this: docs/guide/getting-started.md.

#include <millpond/millpond.hpp>

#include <algorithm>
#include <arpa/inet.h>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <fcntl.h>
#include <netinet/in.h>
#include <optional>
#include <poll.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <sys/socket.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace {

using Port = std::uint16_t;
using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

struct OpenPort {
  Port port;
  std::string greeting;
};

// Connects to a port of this machine and waits for a greeting, blocking. Nothing if it is closed.
std::optional<OpenPort> probe(Port port, std::chrono::milliseconds patience);

// A socket and its end.
class Socket {
 public:
  explicit Socket(int descriptor);
  Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Socket& operator=(Socket&&) = delete;
  ~Socket();

  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

// Services on free ports of this machine, as long as the object lives. The first `greeters` of them
// greet.
class LocalServices {
 public:
  LocalServices(int services, int greeters);
  ~LocalServices();
  LocalServices(const LocalServices&) = delete;
  LocalServices& operator=(const LocalServices&) = delete;

  const std::vector<Port>& ports() const { return ports_; }

 private:
  void greet_visitors();

  std::vector<Socket> listeners_;
  std::vector<Port> ports_;
  std::size_t greeters_;
  std::atomic<bool> closing_ = false;
  std::thread greeter_;
};

struct Options {
  bool silent = false;
  int services = 24;
  int greeters = 6;
  int first = 1;
  int last = 1'024;
  int threads = 64;
  std::chrono::milliseconds patience{100};  // for an answer and for a greeting
};

Options parse_arguments(int argc, char** argv);

// Lets this process have so many files open, if the system agrees.
void allow_open_files(int count);

// Those of the services, and those that were asked for.
std::vector<Port> ports_to_scan(const Options& options, const LocalServices& services);

// The answer without the greetings, which may come in time for one scan and not for the next.
std::vector<Port> open_ports(const std::vector<std::optional<OpenPort>>& answers);

}  // namespace

int main(int argc, char** argv) try {
  const Options options = parse_arguments(argc, argv);
  allow_open_files(options.services + options.threads + 64);
  const LocalServices services(options.services, options.greeters);
  const std::vector<Port> ports = ports_to_scan(options, services);
  const auto look = [&](Port port) { return probe(port, options.patience); };

  const auto serial_start = Clock::now();
  // snippet: serial
  std::vector<std::optional<OpenPort>> one_by_one;
  for (Port port : ports) one_by_one.push_back(look(port));
  // snippet end
  const Seconds serial = Clock::now() - serial_start;

  // A chunksize of 1, because probes differ so much: a closed port takes microseconds, and a chunk
  // of silent ones would keep a single thread waiting for them all.
  const auto pooled_start = Clock::now();
  // snippet: pool
  std::vector<std::optional<OpenPort>> answers;
  {
    millpond::ThreadPool pool(options.threads);
    answers = pool.map(look, ports, 1);  // each thread takes one port at a time
  }
  // snippet end
  const Seconds pooled = Clock::now() - pooled_start;

  for (const auto& answer : answers) {
    if (answer && !options.silent) {
      std::printf("%6d open  %s\n", answer->port, answer->greeting.c_str());
    }
  }
  const std::vector<Port> open = open_ports(answers);
  std::printf("%zu of %zu ports are open\n", open.size(), ports.size());
  std::printf("serial       %7.3f s\n", serial.count());
  std::printf("%4d threads %7.3f s, %.1f times as fast\n", options.threads, pooled.count(),
              serial / pooled);
  if (open != open_ports(one_by_one)) {
    std::fprintf(stderr, "error: the serial scan found other ports\n");
    return 1;
  }
  if (!std::includes(open.begin(), open.end(), services.ports().begin(), services.ports().end())) {
    std::fprintf(stderr, "error: a service was not found\n");
    return 1;
  }
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "port_scanner: %s\n", error.what());
  return 2;
}

// From here on it is sockets.

namespace {

using std::chrono::milliseconds;

[[noreturn]] void throw_errno(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

Socket::Socket(int descriptor) : descriptor_(descriptor) {
  if (descriptor_ < 0) {
    throw_errno("socket");
  }
}

Socket::~Socket() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

Socket tcp_socket() { return Socket(::socket(AF_INET, SOCK_STREAM, 0)); }

sockaddr_in loopback(Port port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

Port local_port(const Socket& socket) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  if (::getsockname(socket.descriptor(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw_errno("getsockname");
  }
  return ntohs(address.sin_port);
}

// Whether the event (POLLIN, POLLOUT) comes before patience ends.
bool comes(const Socket& socket, short event, milliseconds patience) {
  pollfd poll_entry{socket.descriptor(), event, 0};
  return ::poll(&poll_entry, 1, static_cast<int>(patience.count())) == 1;
}

bool connect_to(const Socket& socket, Port port, milliseconds patience) {
  ::fcntl(socket.descriptor(), F_SETFL, O_NONBLOCK);
  const sockaddr_in address = loopback(port);
  if (::connect(socket.descriptor(), reinterpret_cast<const sockaddr*>(&address), sizeof address) ==
      0) {
    return true;
  }
  if (errno != EINPROGRESS || !comes(socket, POLLOUT, patience)) {
    return false;
  }
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(socket.descriptor(), SOL_SOCKET, SO_ERROR, &error, &size);
  return error == 0;
}

std::optional<OpenPort> probe(Port port, milliseconds patience) {
  const Socket socket = tcp_socket();
  // The system may happen to pick the very port that is probed for our own end, and TCP then lets
  // the socket connect to itself.
  if (!connect_to(socket, port, patience) || local_port(socket) == port) {
    return std::nullopt;
  }
  OpenPort found{port, {}};
  if (comes(socket, POLLIN, patience)) {
    char text[80];
    const ssize_t size = ::recv(socket.descriptor(), text, sizeof text, 0);
    const std::string_view line(text, size > 0 ? static_cast<std::size_t>(size) : 0);
    found.greeting = line.substr(0, line.find_first_of("\r\n"));
  }
  return found;
}

std::vector<Port> ports_to_scan(const Options& options, const LocalServices& services) {
  std::vector<Port> ports = services.ports();
  for (int port = options.first; port <= options.last; ++port) {
    ports.push_back(static_cast<Port>(port));
  }
  std::sort(ports.begin(), ports.end());
  ports.erase(std::unique(ports.begin(), ports.end()), ports.end());
  return ports;
}

std::vector<Port> open_ports(const std::vector<std::optional<OpenPort>>& answers) {
  std::vector<Port> open;
  for (const auto& answer : answers) {
    if (answer) {
      open.push_back(answer->port);
    }
  }
  return open;
}

LocalServices::LocalServices(int services, int greeters)
    : greeters_(static_cast<std::size_t>(greeters)) {
  for (int i = 0; i < services; ++i) {
    const sockaddr_in any_free_port = loopback(0);
    const Socket& listener = listeners_.emplace_back(tcp_socket());
    if (::bind(listener.descriptor(), reinterpret_cast<const sockaddr*>(&any_free_port),
               sizeof any_free_port) != 0 ||
        ::listen(listener.descriptor(), SOMAXCONN) != 0) {
      throw_errno("listen");
    }
    ports_.push_back(local_port(listener));
  }
  std::sort(ports_.begin(), ports_.end());
  std::signal(SIGPIPE, SIG_IGN);  // a visitor may have left before it is greeted
  greeter_ = std::thread([this] { greet_visitors(); });
}

LocalServices::~LocalServices() {
  closing_ = true;
  greeter_.join();
}

// Only the greeters are ever accepted. To connect to the others, the system's queue is enough.
void LocalServices::greet_visitors() {
  std::vector<pollfd> doors;
  for (std::size_t i = 0; i < greeters_; ++i) {
    doors.push_back({listeners_[i].descriptor(), POLLIN, 0});
  }
  while (!closing_) {
    if (::poll(doors.data(), static_cast<nfds_t>(doors.size()), 50) <= 0) {
      continue;
    }
    for (const pollfd& door : doors) {
      if ((door.revents & POLLIN) != 0) {
        const Socket visitor(::accept(door.fd, nullptr, nullptr));
        constexpr std::string_view kGreeting = "220 millpond at your service\r\n";
        [[maybe_unused]] const auto sent =
            ::send(visitor.descriptor(), kGreeting.data(), kGreeting.size(), 0);
      }
    }
  }
}

void allow_open_files(int count) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) {
    throw_errno("getrlimit");
  }
  const auto wanted = static_cast<rlim_t>(count);
  if (limit.rlim_cur >= wanted) {
    return;
  }
  limit.rlim_cur = wanted;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) {
    throw_errno("too few files may be open");
  }
}

[[noreturn]] void throw_usage() {
  throw std::invalid_argument(
      "usage: port_scanner [first last [threads]], or port_scanner silent [services "
      "[milliseconds]]");
}

int parse_number(std::string_view text, int smallest, int largest) {
  int number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || rest != end || number < smallest || number > largest) {
    throw_usage();
  }
  return number;
}

Options parse_arguments(int argc, char** argv) {
  Options options;
  if (argc > 4) {
    throw_usage();
  }
  if (argc > 1 && std::string_view(argv[1]) == "silent") {
    options.silent = true;
    options.services = argc > 2 ? parse_number(argv[2], 1, 10'000) : 1'024;
    options.greeters = 0;
    options.first = 1;
    options.last = 0;  // no other ports
    options.threads = options.services;
    options.patience = milliseconds(argc > 3 ? parse_number(argv[3], 1, 60'000) : 250);
    return options;
  }
  if (argc == 2) {
    throw_usage();
  }
  if (argc > 2) {
    options.first = parse_number(argv[1], 1, 65'535);
    options.last = parse_number(argv[2], options.first, 65'535);
  }
  if (argc > 3) {
    options.threads = parse_number(argv[3], 1, 1'000);
  }
  return options;
}

}  // namespace
