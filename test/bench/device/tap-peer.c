// What softnet's TAP driver is measured against, and what is at the other end.
//   tap-peer read  IFNAME MS            reads frames as softnet does: poll, then readv until there is nothing more
//   tap-peer write IFNAME MS BYTES      writes frames of so many bytes
//   tap-peer flood IFNAME BYTES         sends frames to an interface by a packet socket, until it is killed
// The first two make the interface, print 'open', wait for a line, then measure for MS and print: frames, µs of CPU, µs in all.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { HEADER_BYTES = 10, FRAME_BYTES = 1982, RING = 64, EXPERIMENTAL = 0x88b5 };

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static long now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000L + t.tv_nsec / 1000;
}

static long cpu_us(void) {
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  return (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000L + used.ru_utime.tv_usec + used.ru_stime.tv_usec;
}

static int open_tap(const char *name) {
  int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
  if (fd < 0) fail("/dev/net/tun");
  struct ifreq ifr = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
  strncpy(ifr.ifr_name, name, IFNAMSIZ - 1);
  if (ioctl(fd, TUNSETIFF, &ifr) != 0) fail("TUNSETIFF");
  puts("open");
  fflush(stdout);
  if (getchar() == EOF) exit(1);
  return fd;
}

static void frame_of(unsigned char *frame, int bytes) {
  memset(frame, 0x5a, bytes);
  memset(frame, 0xff, 6);
  memcpy(frame + 6, "\x02\0\0\0\0\x99\x88\xb5", 8);
}

static void report(long frames, long from_cpu, long from) {
  printf("%ld %ld %ld\n", frames, cpu_us() - from_cpu, now_us() - from);
}

static unsigned char headers[RING][HEADER_BYTES];
static unsigned char buffers[RING][FRAME_BYTES];

static void read_frames(int fd, long ms) {
  struct pollfd ready = {.fd = fd, .events = POLLIN};
  struct iovec runs[2] = {{headers[0], HEADER_BYTES}, {buffers[0], FRAME_BYTES}};
  long from = now_us(), from_cpu = cpu_us(), frames = 0;
  while (now_us() - from < ms * 1000) {
    poll(&ready, 1, 100);
    for (;;) {
      runs[0].iov_base = headers[frames % RING];
      runs[1].iov_base = buffers[frames % RING];
      if (readv(fd, runs, 2) < 0) break;
      // As softnet does, which looks at other work now and then.
      if (++frames % RING == 0) break;
    }
  }
  report(frames, from_cpu, from);
}

static void write_frames(int fd, long ms, int bytes) {
  frame_of(buffers[0], bytes);
  struct iovec runs[2] = {{headers[0], HEADER_BYTES}, {buffers[0], bytes}};
  long from = now_us(), from_cpu = cpu_us(), frames = 0;
  do {
    for (int i = 0; i < RING; i++)
      if (writev(fd, runs, 2) < 0) fail("writev");
    frames += RING;
  } while (now_us() - from < ms * 1000);
  report(frames, from_cpu, from);
}

static void flood(const char *name, int bytes) {
  int fd = socket(AF_PACKET, SOCK_RAW, 0);
  if (fd < 0) fail("socket");
  struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_protocol = htons(EXPERIMENTAL), .sll_ifindex = if_nametoindex(name)};
  if (bind(fd, (struct sockaddr *)&to, sizeof to) != 0) fail("bind");
  frame_of(buffers[0], bytes);
  struct iovec run = {buffers[0], bytes};
  struct mmsghdr messages[RING] = {0};
  for (int i = 0; i < RING; i++) messages[i].msg_hdr = (struct msghdr){.msg_iov = &run, .msg_iovlen = 1};
  for (;;)
    if (sendmmsg(fd, messages, RING, 0) < 0 && errno != ENOBUFS && errno != EAGAIN) fail("sendmmsg");
}

int main(int count, char **words) {
  if (count == 4 && strcmp(words[1], "read") == 0) read_frames(open_tap(words[2]), atol(words[3]));
  else if (count == 5 && strcmp(words[1], "write") == 0) write_frames(open_tap(words[2]), atol(words[3]), atoi(words[4]));
  else if (count == 4 && strcmp(words[1], "flood") == 0) flood(words[2], atoi(words[3]));
  else return 2;
  return 0;
}
