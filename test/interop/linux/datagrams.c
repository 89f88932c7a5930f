/* The Linux side of UDP in a guest that has no Node: the same two commands as datagrams.mjs. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static unsigned char sent[65536], got[65536];

static int open_socket(int family) {
  int fd = socket(family, SOCK_DGRAM, 0), bytes = 4 << 20;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
  return fd;
}

static int serve(int port) {
  int fd = open_socket(AF_INET6);
  struct sockaddr_in6 here = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
  if (bind(fd, (struct sockaddr *)&here, sizeof here) < 0) return perror("bind"), 1;
  puts("ready");
  fflush(stdout);
  for (;;) {
    struct sockaddr_in6 peer;
    socklen_t size = sizeof peer;
    ssize_t count = recvfrom(fd, got, sizeof got, 0, (struct sockaddr *)&peer, &size);
    if (count >= 0) sendto(fd, got, count, 0, (struct sockaddr *)&peer, size);
  }
}

static void fill(int size) {
  for (int i = 0; i < size; i++) sent[i] = (i * 31 + size) & 0xff;
}

static const char *exchange(int fd, int size) {
  static char text[64];
  fill(size);
  if (send(fd, sent, size, 0) < 0) return strerror(errno);
  ssize_t count = recv(fd, got, sizeof got, 0);
  if (count < 0) return errno == EAGAIN ? "no answer" : strerror(errno);
  if (count == size && memcmp(got, sent, size) == 0) return NULL;
  snprintf(text, sizeof text, "other bytes: %zd", count);
  return text;
}

/* Connects to an address of either family, in text. */
static int connect_to(const char *address, int port) {
  struct sockaddr_in to4 = {.sin_family = AF_INET, .sin_port = htons(port)};
  struct sockaddr_in6 to6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
  int is4 = inet_pton(AF_INET, address, &to4.sin_addr) == 1;
  if (!is4 && inet_pton(AF_INET6, address, &to6.sin6_addr) != 1) return fputs("address?\n", stderr), -1;
  int fd = open_socket(is4 ? AF_INET : AF_INET6);
  int result = is4 ? connect(fd, (struct sockaddr *)&to4, sizeof to4) : connect(fd, (struct sockaddr *)&to6, sizeof to6);
  return result < 0 ? perror("connect"), -1 : fd;
}

static int client(const char *address, const char *port, char *sizes) {
  int fd = connect_to(address, atoi(port)), count = 0, wrong = 0;
  if (fd < 0) return 1;
  struct timeval limit = {.tv_sec = 3};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  printf("{\"wrong\":[");
  for (char *word = strtok(sizes, ","); word != NULL; word = strtok(NULL, ","), count++) {
    const char *fault = exchange(fd, atoi(word));
    if (fault != NULL) printf("%s\"%s: %s\"", wrong++ > 0 ? "," : "", word, fault);
  }
  printf("],\"sizes\":%d}\n", count);
  return wrong > 0;
}

int main(int count, char **words) {
  if (count == 3 && strcmp(words[1], "serve") == 0) return serve(atoi(words[2]));
  if (count == 5 && strcmp(words[1], "client") == 0) return client(words[2], words[3], words[4]);
  return fputs("datagrams serve PORT | client ADDRESS PORT SIZES\n", stderr), 2;
}
