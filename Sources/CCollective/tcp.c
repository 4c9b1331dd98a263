// The collective engine that needs no library: a TCP connection between every two processes, and a second one on which
// each says every second that it lives. A process that stops saying so is given up, and its name goes round.
#define _GNU_SOURCE
#include "sgcollective.h"
#include "signs.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST = SIGNS_MOST, MAGIC = 0x73676d73 };

typedef struct {
    uint32_t magic;
    int32_t rank, count, port, process, is_pulse;
    char host[64], address[64];
} Hello;

static struct {
    int rank, count, listener;
    Hello peers[MOST];
    int data[MOST], pulse[MOST];
    Signs signs;
    _Atomic int is_open;
    pthread_t heart;
    char problem[256];
} net;

static int failed(const char *text) {
    snprintf(net.problem, sizeof net.problem, "%s", text);
    return 1;
}

static const char *error(void) { return net.problem; }
static const char *name(void) { return "TCP"; }
static int32_t rank(void) { return net.rank; }
static int32_t count(void) { return net.count; }

// ---- signs of life

static void tell_all(unsigned char byte) {
    for (int r = 0; r < net.count; r++)
        if (r != net.rank && net.pulse[r] > 0) (void)send(net.pulse[r], &byte, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

// Reads the signs of a rank: that it lives, whom it gave up, or that it has gone.
static void read_signs(int r) {
    unsigned char bytes[64];
    for (;;) {
        const ssize_t n = recv(net.pulse[r], bytes, sizeof bytes, MSG_DONTWAIT);
        for (ssize_t i = 0; i < n; i++) signs_hear(&net.signs, r, bytes[i]);
        if (n > 0) continue;
        if (n == 0 || (errno != EAGAIN && errno != EINTR)) net.signs.is_gone[r] = 1;
        if (n == 0 || errno != EINTR) return;
    }
}

static void *beat(void *unused) {
    (void)unused;
    while (net.is_open) {
        tell_all(SIGN_ALIVE);
        for (int r = 0; r < net.count; r++)
            if (r != net.rank && !net.signs.is_gone[r]) read_signs(r);
        signs_beat(&net.signs);
        for (int i = 0; i < 10 && net.is_open; i++) usleep((useconds_t)(1e5 * signs_interval(&net.signs)));
    }
    return NULL;
}

static int give_up(int r, const char *why) {
    tell_all((unsigned char)r);
    snprintf(net.problem, sizeof net.problem, "rank %d (process %d on %s) %s", r, net.peers[r].process, net.peers[r].host, why);
    return 1;
}

// Whether all ranks are there; otherwise who is not.
int sgc_tcp_check(void) {
    const char *why = "";
    for (int r = 0; r < net.count; r++)
        if (r != net.rank) read_signs(r);
    const int lost = signs_lost(&net.signs, &why);
    return lost < 0 ? 0 : give_up(lost, why);
}

// ---- moving bytes

typedef struct {
    const char *out;
    char *in;
    int64_t to_send, to_receive;
} Link;

// Sends and receives on all links at once, until each has what it wants.
static int move_all(Link *links) {
    for (;;) {
        struct pollfd waiting[MOST];
        int owner[MOST], n = 0;
        for (int r = 0; r < net.count; r++) {
            const short events = (short)((links[r].to_send > 0 ? POLLOUT : 0) | (links[r].to_receive > 0 ? POLLIN : 0));
            if (!events) continue;
            owner[n] = r;
            waiting[n++] = (struct pollfd){.fd = net.data[r], .events = events};
        }
        if (n == 0) return 0;
        if (poll(waiting, (nfds_t)n, 500) <= 0) {
            if (sgc_tcp_check()) return 1;
            continue;
        }
        for (int i = 0; i < n; i++) {
            const int r = owner[i];
            Link *link = &links[r];
            if (waiting[i].revents & POLLOUT) {
                const ssize_t sent = send(net.data[r], link->out, (size_t)link->to_send, MSG_DONTWAIT | MSG_NOSIGNAL);
                if (sent > 0) {
                    link->out += sent;
                    link->to_send -= sent;
                } else if (sent < 0 && errno != EAGAIN && errno != EINTR) {
                    return sgc_tcp_check() || give_up(r, "has ended");
                }
            }
            if (waiting[i].revents & (POLLIN | POLLHUP | POLLERR) && link->to_receive > 0) {
                const ssize_t got = recv(net.data[r], link->in, (size_t)link->to_receive, MSG_DONTWAIT);
                if (got > 0) {
                    link->in += got;
                    link->to_receive -= got;
                } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
                    return sgc_tcp_check() || give_up(r, "has ended");
                }
            }
        }
    }
}

static int exchange(const float *parts, float *from, int64_t each, int32_t active) {
    Link links[MOST] = {0};
    const int64_t bytes = each * 4;
    for (int r = 0; r < net.count; r++) {
        if (r == net.rank) continue;
        if (net.rank < active) links[r].out = (const char *)(parts + r * each), links[r].to_send = bytes;
        if (r < active) links[r].in = (char *)(from + r * each), links[r].to_receive = bytes;
    }
    if (net.rank < active) memcpy(from + net.rank * each, parts + net.rank * each, (size_t)bytes);
    return move_all(links);
}

static int gather(const void *mine, void *all, int64_t bytes) {
    Link links[MOST] = {0};
    for (int r = 0; r < net.count; r++) {
        if (r == net.rank) continue;
        links[r] = (Link){.out = mine, .to_send = bytes, .in = (char *)all + r * bytes, .to_receive = bytes};
    }
    memmove((char *)all + net.rank * bytes, mine, (size_t)bytes);
    return move_all(links);
}

static int broadcast(void *bytes, int64_t length) {
    Link links[MOST] = {0};
    if (net.rank == 0) {
        for (int r = 1; r < net.count; r++) links[r] = (Link){.out = bytes, .to_send = length};
    } else {
        links[0] = (Link){.in = bytes, .to_receive = length};
    }
    return move_all(links);
}

// ---- meeting

static int whole(int socket, void *bytes, size_t length, int is_sending) {
    for (size_t done = 0; done < length;) {
        const ssize_t n = is_sending ? send(socket, (char *)bytes + done, length - done, MSG_NOSIGNAL)
                                     : recv(socket, (char *)bytes + done, length - done, 0);
        if (n <= 0 && errno != EINTR) return 1;
        if (n > 0) done += (size_t)n;
    }
    return 0;
}

static void prepare(int socket) {
    const int one = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    const struct timeval limit = {.tv_sec = 30};
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    fcntl(socket, F_SETFD, FD_CLOEXEC);
}

static int listen_on(int port, int *chosen) {
    const int s = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    if (s < 0) return -1;
    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    fcntl(s, F_SETFD, FD_CLOEXEC);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_ANY)};
    socklen_t length = sizeof a;
    if (bind(s, (struct sockaddr *)&a, sizeof a) || listen(s, 2 * MOST) || getsockname(s, (struct sockaddr *)&a, &length)) {
        close(s);
        return -1;
    }
    *chosen = ntohs(a.sin_port);
    return s;
}

// Connects to a rank, which may not listen yet.
static int connect_to(const char *address, int port, double until) {
    char service[16];
    snprintf(service, sizeof service, "%d", port);
    for (;;) {
        struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found = NULL;
        if (getaddrinfo(address, service, &hints, &found) == 0) {
            const int s = socket(AF_INET, SOCK_STREAM, 0);
            const int code = s < 0 ? 1 : connect(s, found->ai_addr, found->ai_addrlen);
            freeaddrinfo(found);
            if (code == 0) {
                prepare(s);
                return s;
            }
            if (s >= 0) close(s);
        }
        if (signs_now() > until) return -1;
        usleep(100 * 1000);
    }
}

// Takes a connection of a rank of this group; others are turned away.
static int accept_rank(double until, Hello *hello, int *socket) {
    while (signs_now() < until) {
        struct pollfd waiting = {.fd = net.listener, .events = POLLIN};
        if (poll(&waiting, 1, 500) <= 0) continue;
        struct sockaddr_in from;
        socklen_t length = sizeof from;
        const int s = accept(net.listener, (struct sockaddr *)&from, &length);
        if (s < 0) continue;
        prepare(s);
        if (!whole(s, hello, sizeof *hello, 0) && hello->magic == MAGIC && hello->count == net.count && hello->rank > net.rank
            && hello->rank < net.count) {
            inet_ntop(AF_INET, &from.sin_addr, hello->address, sizeof hello->address);
            hello->host[sizeof hello->host - 1] = 0;
            *socket = s;
            return 0;
        }
        close(s);
    }
    return 1;
}

static int keep(const Hello *hello, int socket) {
    int *place = hello->is_pulse ? &net.pulse[hello->rank] : &net.data[hello->rank];
    if (*place > 0) return failed("two processes have one rank; give each its own RANK");
    *place = socket;
    return 0;
}

static int missing(int r) {
    snprintf(net.problem, sizeof net.problem, "rank %d of %d did not join within a minute", r, net.count);
    return 1;
}

// Rank 0 hears from all and tells all of all; then every rank connects to those before it.
static int meet(const sgc_place *place) {
    const double until = signs_now() + 60;
    Hello me = {.magic = MAGIC, .rank = net.rank, .count = net.count, .process = (int32_t)getpid()};
    gethostname(me.host, sizeof me.host - 1);
    net.listener = listen_on(net.rank == 0 ? place->port : 0, &me.port);
    if (net.listener < 0) return failed("the port of rank 0 is taken; set MASTER_PORT to another");
    net.peers[net.rank] = me;
    Hello hello;
    int s;
    if (net.rank == 0) {
        for (int joined = 1; joined < net.count; joined++) {
            if (accept_rank(until, &hello, &s)) {
                int r = 1;
                while (r < net.count && net.data[r] > 0) r++;
                return missing(r);
            }
            if (keep(&hello, s)) return 1;
            net.peers[hello.rank] = hello;
        }
        for (int r = 1; r < net.count; r++)
            if (whole(net.data[r], net.peers, sizeof(Hello) * (size_t)net.count, 1)) return give_up(r, "has ended");
    } else {
        s = connect_to(place->address, place->port, until);
        if (s < 0 || whole(s, &me, sizeof me, 1) || whole(s, net.peers, sizeof(Hello) * (size_t)net.count, 0)) {
            snprintf(net.problem, sizeof net.problem, "rank 0 does not answer at %s port %d", place->address, place->port);
            return 1;
        }
        net.data[0] = s;
    }
    for (int r = 0; r < net.rank; r++) {
        for (int is_pulse = 0; is_pulse < 2; is_pulse++) {
            if (r == 0 && !is_pulse) continue;
            me.is_pulse = is_pulse;
            s = connect_to(r == 0 ? place->address : net.peers[r].address, r == 0 ? place->port : net.peers[r].port, until);
            if (s < 0 || whole(s, &me, sizeof me, 1)) return missing(r);
            *(is_pulse ? &net.pulse[r] : &net.data[r]) = s;
        }
    }
    const int later = net.count - 1 - net.rank, expected = net.rank == 0 ? later : 2 * later;
    for (int i = 0; i < expected; i++) {
        if (accept_rank(until, &hello, &s)) return missing(net.rank + 1);
        if (keep(&hello, s)) return 1;
    }
    return 0;
}

static int open_group(const sgc_place *place) {
    if (place->count < 1 || place->count >= MOST || place->rank < 0 || place->rank >= place->count)
        return failed("a rank must lie in 0 ..< count, and at most 255 processes work together");
    net.rank = place->rank;
    net.count = place->count;
    if (meet(place)) return 1;
    signs_begin(&net.signs, net.rank, net.count, place->patience);
    net.is_open = 1;
    return pthread_create(&net.heart, NULL, beat, NULL) ? failed("no thread for the signs of life") : 0;
}

static void close_group(void) {
    if (!net.is_open) return;
    net.is_open = 0;
    pthread_join(net.heart, NULL);
    for (int r = 0; r < net.count; r++) {
        if (net.data[r] > 0) close(net.data[r]);
        if (net.pulse[r] > 0) close(net.pulse[r]);
    }
    close(net.listener);
}

const sgc_table *sgc_tcp(void) {
    static const sgc_table table = {SGC_ABI, sizeof table, error, name, open_group, rank, count, exchange, gather, broadcast, close_group};
    return &table;
}

int32_t sgc_free_port(void) {
    int port = 0;
    const int s = listen_on(0, &port);
    if (s >= 0) close(s);
    return s < 0 ? 0 : port;
}

void sgc_add_in_order(float *sum, const float *from, int64_t each, int32_t parts) {
    for (int32_t part = 0; part < parts; part++)
        for (int64_t i = 0; i < each; i++) sum[i] += from[part * each + i];
}
