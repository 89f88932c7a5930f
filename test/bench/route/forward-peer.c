/* Floods a veth with UDP in IPv4, and says what CPU it took the kernel to bring it to another one: see forward-linux.ts. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#define BATCH 64

static double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

/* User and system: the forwarding runs in this thread's system calls. */
static double cpu_us(void) {
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 + u.ru_utime.tv_usec + u.ru_stime.tv_usec;
}

static unsigned long long received(const char *name) {
  FILE *file = fopen("/proc/self/net/dev", "r");
  char line[512];
  unsigned long long bytes, packets = 0;
  while (file && fgets(line, sizeof line, file)) {
    char *at = strstr(line, name);
    if (at && sscanf(at + strlen(name), ": %llu %llu", &bytes, &packets) == 2) break;
  }
  if (file) fclose(file);
  return packets;
}

static void frame_of(uint8_t *f, int len, int flow, int routes) {
  static const uint8_t head[] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 4, 8, 0, 0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 1, 2};
  memset(f, 0, len);
  memcpy(f, head, sizeof head);
  uint16_t total = htons(len - 14), udp = htons(len - 34), source = htons(1024 + flow % 50000), to = htons(9);
  uint32_t dst = htonl((11u << 24) + ((uint32_t)(((long)flow * 7919) % routes) << 8) + 1);
  memcpy(f + 16, &total, 2);
  memcpy(f + 30, &dst, 4);
  memcpy(f + 34, &source, 2);
  memcpy(f + 36, &to, 2);
  memcpy(f + 38, &udp, 2);
  uint32_t sum = 0;
  for (int i = 14; i < 34; i += 2) sum += f[i] << 8 | f[i + 1];
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  uint16_t check = htons(~sum & 0xffff);
  memcpy(f + 24, &check, 2);
}

int main(int argc, char **argv) {
  if (argc < 5) return 2;
  int len = atoi(argv[1]), flows = atoi(argv[2]), routes = atoi(argv[3]), span = atoi(argv[4]);
  int count = flows < BATCH ? BATCH : flows / BATCH * BATCH;
  uint8_t *frames = malloc((size_t)count * len);
  struct mmsghdr *messages = calloc(count, sizeof *messages);
  struct iovec *parts = calloc(count, sizeof *parts);
  for (int i = 0; i < count; i++) {
    frame_of(frames + (size_t)i * len, len, i % flows, routes);
    parts[i] = (struct iovec){frames + (size_t)i * len, len};
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  int s = socket(AF_PACKET, SOCK_RAW, 0), one = 1;
  struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_ifindex = if_nametoindex("s0"), .sll_protocol = htons(ETH_P_IP)};
  setsockopt(s, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof one);
  if (s < 0 || bind(s, (struct sockaddr *)&at, sizeof at)) {
    perror("s0");
    return 1;
  }
  double start = now_ms(), cpu = 0;
  unsigned long long before = 0;
  for (int i = 0, warm = 0;; i = (i + BATCH) % count) {
    sendmmsg(s, messages + i, BATCH, 0);
    double at_ms = now_ms() - start;
    if (!warm && at_ms > 300) {
      warm = 1;
      before = received("d0");
      cpu = cpu_us();
    }
    if (warm && at_ms > 300 + span) break;
  }
  cpu = cpu_us() - cpu;
  printf("{\"packets\":%llu,\"cpuUs\":%.0f}\n", received("d0") - before, cpu);
  return 0;
}
