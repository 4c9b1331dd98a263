// The collective engine of MPI: every transfer is started at once and waited for in turns, while a second thread says by small
// messages that this process lives, so that a rank which is missing is named. One thread calls MPI at a time.
#define _GNU_SOURCE
#include "sgcollective.h"
#include "signs.h"
#include <mpi.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MOST = SIGNS_MOST, CHUNK = 1 << 28 };

typedef struct {
    int32_t process;
    char host[64];
} Peer;

static struct {
    int rank, count;
    Peer peers[MOST];
    MPI_Comm pulses;
    MPI_Request told[MOST], heard[MOST];
    unsigned char sign, signs_of[MOST];
    Signs signs;
    _Atomic int is_open;
    pthread_t heart;
    pthread_mutex_t turn;
    char problem[256 + MPI_MAX_ERROR_STRING], title[MPI_MAX_LIBRARY_VERSION_STRING];
} group = {.turn = PTHREAD_MUTEX_INITIALIZER};

static const char *error(void) { return group.problem; }
static const char *name(void) { return group.title; }
static int32_t rank(void) { return group.rank; }
static int32_t count(void) { return group.count; }

static int failed(int code) {
    int length = 0;
    MPI_Error_string(code, group.problem, &length);
    return 1;
}

// ---- signs of life; all but `beat` and `check_life` are called in turn

// A message that a rank has not taken yet stands for all that would follow it.
static void tell_all(unsigned char byte) {
    group.sign = byte;
    for (int r = 0; r < group.count; r++) {
        int is_sent = 0;
        if (r == group.rank || MPI_Test(&group.told[r], &is_sent, MPI_STATUS_IGNORE) != MPI_SUCCESS || !is_sent) continue;
        MPI_Isend(&group.sign, 1, MPI_BYTE, r, 0, group.pulses, &group.told[r]);
    }
}

static void listen_to(int r) { MPI_Irecv(&group.signs_of[r], 1, MPI_BYTE, r, 0, group.pulses, &group.heard[r]); }

static void read_signs(void) {
    for (int r = 0; r < group.count; r++) {
        int is_there = r != group.rank;
        while (is_there && !group.signs.is_gone[r]) {
            if (MPI_Test(&group.heard[r], &is_there, MPI_STATUS_IGNORE) != MPI_SUCCESS) group.signs.is_gone[r] = 1;
            if (!is_there || group.signs.is_gone[r]) break;
            signs_hear(&group.signs, r, group.signs_of[r]);
            listen_to(r);
        }
    }
}

static void *beat(void *unused) {
    (void)unused;
    while (group.is_open) {
        pthread_mutex_lock(&group.turn);
        tell_all(group.sign);
        read_signs();
        pthread_mutex_unlock(&group.turn);
        signs_beat(&group.signs);
        for (int i = 0; i < 10 && group.is_open; i++) usleep((useconds_t)(1e5 * signs_interval(&group.signs)));
    }
    return NULL;
}

static int give_up(int r, const char *why) {
    tell_all((unsigned char)r);
    snprintf(group.problem, sizeof group.problem, "rank %d (process %d on %s) %s", r, group.peers[r].process, group.peers[r].host, why);
    return 1;
}

// Whether all ranks are there; otherwise who is not.
static int check_life(void) {
    const char *why = "";
    pthread_mutex_lock(&group.turn);
    read_signs();
    const int lost = signs_lost(&group.signs, &why), code = lost < 0 ? 0 : give_up(lost, why);
    pthread_mutex_unlock(&group.turn);
    return code;
}

// ---- moving bytes

// Waits until all requests are done, each of them with the rank `owners[i]`.
static int wait_for(int n, MPI_Request *requests, const int *owners) {
    double looked = signs_now();
    for (int left = n; left > 0;) {
        int place = MPI_UNDEFINED, is_done = 0;
        MPI_Status status;
        pthread_mutex_lock(&group.turn);
        const int code = MPI_Testany(n, requests, &place, &is_done, &status);
        if (code != MPI_SUCCESS) {
            const int is_known = place >= 0 && place < n && requests[place] != MPI_REQUEST_NULL;
            const int result = is_known ? give_up(owners[place], "has ended") : failed(code);
            pthread_mutex_unlock(&group.turn);
            return result;
        }
        pthread_mutex_unlock(&group.turn);
        if (is_done) {
            if (place == MPI_UNDEFINED) return 0;
            left--;
            continue;
        }
        if (signs_now() - looked > 0.5) {
            if (check_life()) return 1;
            looked = signs_now();
        }
        usleep(50);
    }
    return 0;
}

// Bytes between all pairs of ranks; MPI counts them in an int.
typedef struct {
    const char *out;
    char *in;
    int64_t to_send, to_receive;
} Link;

static int move_all(Link *links) {
    for (;;) {
        MPI_Request requests[2 * MOST];
        int owners[2 * MOST], n = 0;
        pthread_mutex_lock(&group.turn);
        for (int r = 0; r < group.count; r++) {
            Link *link = &links[r];
            const int sent = (int)(link->to_send < CHUNK ? link->to_send : CHUNK), got = (int)(link->to_receive < CHUNK ? link->to_receive : CHUNK);
            if (got > 0) owners[n] = r, MPI_Irecv(link->in, got, MPI_BYTE, r, 0, MPI_COMM_WORLD, &requests[n++]);
            if (sent > 0) owners[n] = r, MPI_Isend(link->out, sent, MPI_BYTE, r, 0, MPI_COMM_WORLD, &requests[n++]);
            *link = (Link){link->out + sent, link->in + got, link->to_send - sent, link->to_receive - got};
        }
        pthread_mutex_unlock(&group.turn);
        if (n == 0) return 0;
        if (wait_for(n, requests, owners)) return 1;
    }
}

static int exchange(const float *parts, float *from, int64_t each, int32_t active) {
    Link links[MOST] = {0};
    for (int r = 0; r < group.count; r++) {
        if (group.rank < active) links[r].out = (const char *)(parts + r * each), links[r].to_send = each * 4;
        if (r < active) links[r].in = (char *)(from + r * each), links[r].to_receive = each * 4;
    }
    return move_all(links);
}

static int gather(const void *mine, void *all, int64_t bytes) {
    Link links[MOST] = {0};
    for (int r = 0; r < group.count; r++) links[r] = (Link){mine, (char *)all + r * bytes, bytes, bytes};
    return move_all(links);
}

// Rank 0 may be busy for as long as it likes, as with a validation, while it says that it lives.
static int broadcast(void *bytes, int64_t length) {
    Link links[MOST] = {0};
    for (int r = 1; group.rank == 0 && r < group.count; r++) links[r] = (Link){.out = bytes, .to_send = length};
    if (group.rank != 0) links[0] = (Link){.in = bytes, .to_receive = length};
    return move_all(links);
}

// ---- meeting

static int refused(const char *text) {
    snprintf(group.problem, sizeof group.problem, "%s", text);
    return 1;
}

// Everybody learns everybody's process and machine, and listens for signs of life.
static int meet(double patience) {
    Peer me = {.process = (int32_t)getpid()};
    gethostname(me.host, sizeof me.host - 1);
    int code = MPI_Allgather(&me, sizeof me, MPI_BYTE, group.peers, sizeof me, MPI_BYTE, MPI_COMM_WORLD);
    if (code == MPI_SUCCESS) code = MPI_Comm_dup(MPI_COMM_WORLD, &group.pulses);
    if (code != MPI_SUCCESS) return failed(code);
    for (int r = 0; r < group.count; r++) {
        group.told[r] = group.heard[r] = MPI_REQUEST_NULL;
        if (r != group.rank) listen_to(r);
    }
    group.sign = SIGN_ALIVE;
    signs_begin(&group.signs, group.rank, group.count, patience);
    group.is_open = 1;
    return pthread_create(&group.heart, NULL, beat, NULL) ? refused("no thread for the signs of life") : 0;
}

static int open_group(const sgc_place *place) {
    int given, length;
    if (MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &given) != MPI_SUCCESS)
        return refused("MPI does not start; start the program with mpirun or srun");
    if (given < MPI_THREAD_SERIALIZED) return refused("this MPI lets no second thread call it (MPI_THREAD_SERIALIZED)");
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Comm_rank(MPI_COMM_WORLD, &group.rank);
    MPI_Comm_size(MPI_COMM_WORLD, &group.count);
    MPI_Get_library_version(group.title, &length);
    for (int i = 0; i < length; i++)
        if (group.title[i] == ',' || group.title[i] == '\n') group.title[i] = 0;
    if (group.count == place->count && group.count < MOST) return meet(place->patience);
    snprintf(group.problem, sizeof group.problem, "MPI has %d processes, the launcher speaks of %d", group.count, place->count);
    return 1;
}

static void close_group(void) {
    if (!group.is_open) return;
    group.is_open = 0;
    pthread_join(group.heart, NULL);
    for (int r = 0; r < group.count; r++) {
        if (r == group.rank) continue;
        MPI_Cancel(&group.heard[r]);
        MPI_Request_free(&group.heard[r]);
        if (group.told[r] != MPI_REQUEST_NULL) MPI_Request_free(&group.told[r]);
    }
    MPI_Finalize();
}

__attribute__((visibility("default"))) const sgc_table *sgmse_collective_table(void) {
    static const sgc_table table = {SGC_ABI, sizeof table, error, name, open_group, rank, count, exchange, gather, broadcast, close_group};
    return &table;
}
