// DPDK's longest-prefix match, `rte_fib` (DIR-24-8) and `rte_fib6` (a trie of 24-8-8...), what softnet's is measured against. (`rte_lpm` looks
// through all prefixes of a length to add one: a million take minutes.)
//   lpm-peer 4|6 FILE      loads the prefixes of the file, looks its addresses up, changes some prefixes
// FILE, int32 words: prefixes n, addresses m; n prefixes' words (one, or four), n lengths, n next hops; m random addresses' words, m skewed ones'.
// Prints: seconds of CPU to load, millions of lookups in a second (random, skewed), changes in a second, bytes taken.
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_eal.h>
#include <rte_fib.h>
#include <rte_fib6.h>
#include <rte_malloc.h>

// Groups of 256 entries.
enum { TBL8S = 1 << 16, TBL8S_WIDE = 1 << 19 };
enum { CHANGES = 20000, TIMES = 5, BATCH = 64 };

static double cpu_s(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static size_t taken(void) {
  struct rte_malloc_socket_stats stats;
  rte_malloc_get_socket_stats(rte_socket_id(), &stats);
  return stats.heap_allocsz_bytes;
}

static void must(int good, const char *what) {
  if (good) return;
  fprintf(stderr, "%s\n", what);
  exit(1);
}

static int wide, n, m;
static int32_t *prefixes, *lens, *hops, *randoms, *skewed;
static struct rte_fib *fib;
static struct rte_fib6 *fib6;

static void bytes_of(uint8_t *to, const int32_t *words) {
  for (int i = 0; i < 4; i++) {
    uint32_t word = htonl(words[i]);
    memcpy(to + 4 * i, &word, 4);
  }
}

static void add(int i, int hop) {
  if (!wide) {
    must(rte_fib_add(fib, prefixes[i], lens[i], hop) == 0, "rte_fib_add");
    return;
  }
  uint8_t ip[16];
  bytes_of(ip, prefixes + 4 * i);
  must(rte_fib6_add(fib6, ip, lens[i], hop) == 0, "rte_fib6_add");
}

static double lookups(const int32_t *addresses) {
  uint64_t hops_found[BATCH], sum = 0;
  uint8_t *ips = NULL;
  if (wide) {
    ips = malloc(16 * (size_t)m);
    for (int i = 0; i < m; i++) bytes_of(ips + 16 * (size_t)i, addresses + 4 * (size_t)i);
  }
  double from = 0;
  for (int time = 0; time <= TIMES; time++) {
    if (time == 1) from = cpu_s();
    for (int i = 0; i + BATCH <= m; i += BATCH) {
      if (wide) rte_fib6_lookup_bulk(fib6, (void *)(ips + 16 * (size_t)i), hops_found, BATCH);
      else rte_fib_lookup_bulk(fib, (void *)(addresses + i), hops_found, BATCH);
      sum += hops_found[0];
    }
  }
  double rate = (double)TIMES * m / (cpu_s() - from) / 1e6;
  must(sum != 0, "nothing was found");
  free(ips);
  return rate;
}

static int32_t *take(FILE *file, size_t count) {
  int32_t *words = malloc(count * 4);
  must(fread(words, 4, count, file) == count, "the file is short");
  return words;
}

int main(int count, char **words) {
  must(count == 3, "lpm-peer 4|6 FILE");
  char *eal[] = {"lpm-peer", "--no-huge", "--no-shconf", "-m", "4096", "-l", "0", "--no-pci", "--no-telemetry", "--log-level=1"};
  must(rte_eal_init(sizeof eal / sizeof *eal, eal) >= 0, "rte_eal_init");
  wide = words[1][0] == '6';
  FILE *file = fopen(words[2], "rb");
  must(file != NULL, "cannot open the file");
  int32_t *head = take(file, 2);
  n = head[0], m = head[1];
  size_t stride = wide ? 4 : 1;
  prefixes = take(file, n * stride), lens = take(file, n), hops = take(file, n);
  randoms = take(file, m * stride), skewed = take(file, m * stride);
  size_t before = taken();
  struct rte_fib_conf conf = {.type = RTE_FIB_DIR24_8, .max_routes = 4 * n, .dir24_8 = {.nh_sz = RTE_FIB_DIR24_8_4B, .num_tbl8 = TBL8S}};
  struct rte_fib6_conf conf6 = {.type = RTE_FIB6_TRIE, .max_routes = 4 * n, .trie = {.nh_sz = RTE_FIB6_TRIE_4B, .num_tbl8 = TBL8S_WIDE}};
  double from = cpu_s();
  if (wide) must((fib6 = rte_fib6_create("peer", -1, &conf6)) != NULL, "rte_fib6_create");
  else must((fib = rte_fib_create("peer", -1, &conf)) != NULL, "rte_fib_create");
  for (int i = 0; i < n; i++) add(i, hops[i] + 1);
  double load_s = cpu_s() - from;
  size_t bytes = taken() - before;
  double random_rate = lookups(randoms), skewed_rate = lookups(skewed);
  from = cpu_s();
  for (int i = 0; i < CHANGES; i++) add(i, (hops[i] + 7) % 256 + 1);
  printf("%.6f %.3f %.3f %.0f %zu\n", load_s, random_rate, skewed_rate, CHANGES / (cpu_s() - from), bytes);
  return 0;
}
