// The collective engine of MPI: every transfer is started at once and waited for in turns, so that a rank which is missing
// can be named.
#include "sgcollective.h"
#include <limits.h>
#include <mpi.h>
#include <stdio.h>
#include <time.h>

enum { MOST = 256, CHUNK = 1 << 28, DATA = 0, QUESTION = 1, ANSWER = 2, ANSWER_SECONDS = 5 };

static struct {
    int rank, count;
    double patience;
    char problem[256 + MPI_MAX_ERROR_STRING], title[MPI_MAX_LIBRARY_VERSION_STRING];
} group;

static const char *error(void) { return group.problem; }
static const char *name(void) { return group.title; }
static int32_t rank(void) { return group.rank; }
static int32_t count(void) { return group.count; }

static int failed(int code) {
    int length = 0;
    MPI_Error_string(code, group.problem, &length);
    return 1;
}

static int give_up(int lost, const char *why) {
    snprintf(group.problem, sizeof group.problem, "rank %d %s", lost, why);
    return 1;
}

// Says to each rank that asks that this one waits too.
static void answer(void) {
    for (;;) {
        int is_asked = 0;
        char byte = 0;
        MPI_Status status;
        if (MPI_Iprobe(MPI_ANY_SOURCE, QUESTION, MPI_COMM_WORLD, &is_asked, &status) != MPI_SUCCESS || !is_asked) return;
        MPI_Recv(&byte, 1, MPI_BYTE, status.MPI_SOURCE, QUESTION, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        MPI_Send(&byte, 1, MPI_BYTE, status.MPI_SOURCE, ANSWER, MPI_COMM_WORLD);
    }
}

// The first rank that does not say within `seconds` that it waits too, or -1: one that only waits for another is not to blame.
static int silent_rank(double seconds) {
    static char question, answers[MOST];
    MPI_Request asked[MOST], answered[MOST];
    const double start = MPI_Wtime();
    for (int r = 0; r < group.count; r++) {
        if (r == group.rank) continue;
        MPI_Irecv(&answers[r], 1, MPI_BYTE, r, ANSWER, MPI_COMM_WORLD, &answered[r]);
        MPI_Isend(&question, 1, MPI_BYTE, r, QUESTION, MPI_COMM_WORLD, &asked[r]);
    }
    int is_there[MOST] = {0}, missing = group.count - 1;
    while (missing > 0 && MPI_Wtime() - start < seconds) {
        answer();
        for (int r = 0; r < group.count; r++) {
            if (r == group.rank || is_there[r]) continue;
            if (MPI_Test(&answered[r], &is_there[r], MPI_STATUS_IGNORE) != MPI_SUCCESS) is_there[r] = 0;
            missing -= is_there[r];
        }
        nanosleep(&(struct timespec){.tv_nsec = 1000 * 1000}, NULL);
    }
    for (int r = 0; r < group.count; r++)
        if (r != group.rank && !is_there[r]) return r;
    return -1;
}

// Waits until all requests are done, each of them with the rank `owners[i]`; a patience of 0 has no end.
static int wait_for(int n, MPI_Request *requests, const int *owners, double patience) {
    const double start = MPI_Wtime();
    for (int left = n; left > 0;) {
        int place = MPI_UNDEFINED, is_done = 0;
        MPI_Status status;
        const int code = MPI_Testany(n, requests, &place, &is_done, &status);
        if (code != MPI_SUCCESS) return place >= 0 && place < n ? give_up(owners[place], "has ended") : failed(code);
        if (is_done) {
            if (place == MPI_UNDEFINED) return 0;
            left--;
            continue;
        }
        answer();
        if (patience > 0 && MPI_Wtime() - start > patience) {
            const int silent = silent_rank(ANSWER_SECONDS);
            for (int i = 0; i < n; i++)
                if (requests[i] != MPI_REQUEST_NULL) return give_up(silent >= 0 ? silent : owners[i], "has not answered in time");
        }
        nanosleep(&(struct timespec){.tv_nsec = 50 * 1000}, NULL);
    }
    return 0;
}

// Bytes between all pairs of ranks; MPI counts them in an int.
typedef struct {
    const char *out;
    char *in;
    int64_t to_send, to_receive;
} Link;

static int move_all(Link *links, double patience) {
    for (;;) {
        MPI_Request requests[2 * MOST];
        int owners[2 * MOST], n = 0;
        for (int r = 0; r < group.count; r++) {
            Link *link = &links[r];
            const int sent = (int)(link->to_send < CHUNK ? link->to_send : CHUNK), got = (int)(link->to_receive < CHUNK ? link->to_receive : CHUNK);
            if (got > 0) owners[n] = r, MPI_Irecv(link->in, got, MPI_BYTE, r, DATA, MPI_COMM_WORLD, &requests[n++]);
            if (sent > 0) owners[n] = r, MPI_Isend(link->out, sent, MPI_BYTE, r, DATA, MPI_COMM_WORLD, &requests[n++]);
            *link = (Link){link->out + sent, link->in + got, link->to_send - sent, link->to_receive - got};
        }
        if (n == 0) return 0;
        if (wait_for(n, requests, owners, patience)) return 1;
    }
}

static int exchange(const float *parts, float *from, int64_t each, int32_t active) {
    Link links[MOST] = {0};
    for (int r = 0; r < group.count; r++) {
        if (group.rank < active) links[r].out = (const char *)(parts + r * each), links[r].to_send = each * 4;
        if (r < active) links[r].in = (char *)(from + r * each), links[r].to_receive = each * 4;
    }
    return move_all(links, group.patience);
}

static int gather(const void *mine, void *all, int64_t bytes) {
    Link links[MOST] = {0};
    for (int r = 0; r < group.count; r++) links[r] = (Link){mine, (char *)all + r * bytes, bytes, bytes};
    return move_all(links, group.patience);
}

// Rank 0 may be busy for as long as it likes, as with a validation.
static int broadcast(void *bytes, int64_t length) {
    Link links[MOST] = {0};
    for (int r = 1; group.rank == 0 && r < group.count; r++) links[r] = (Link){.out = bytes, .to_send = length};
    if (group.rank != 0) links[0] = (Link){.in = bytes, .to_receive = length};
    return move_all(links, group.rank == 0 ? group.patience : 0);
}

static int open_group(const sgc_place *place) {
    int given, length;
    if (MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &given) != MPI_SUCCESS) {
        snprintf(group.problem, sizeof group.problem, "MPI does not start; start the program with mpirun or srun");
        return 1;
    }
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Comm_rank(MPI_COMM_WORLD, &group.rank);
    MPI_Comm_size(MPI_COMM_WORLD, &group.count);
    MPI_Get_library_version(group.title, &length);
    for (int i = 0; i < length; i++)
        if (group.title[i] == ',' || group.title[i] == '\n') group.title[i] = 0;
    group.patience = place->patience * 2;
    if (group.count == place->count && group.count < MOST) return 0;
    snprintf(group.problem, sizeof group.problem, "MPI has %d processes, the launcher speaks of %d", group.count, place->count);
    return 1;
}

static void close_group(void) { MPI_Finalize(); }

__attribute__((visibility("default"))) const sgc_table *sgmse_collective_table(void) {
    static const sgc_table table = {SGC_ABI, sizeof table, error, name, open_group, rank, count, exchange, gather, broadcast, close_group};
    return &table;
}
