// How far the process yields to others.
#define _GNU_SOURCE
#include "sgkernels.h"
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

// The thread pools of system libraries set the priority of each of their threads, which succeeds for root alone: root
// has the capability to raise it. A thread hands its capabilities on to those that it starts; a program that root
// starts has what the bounding set allows.
static void give_up_raising(void) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) != 0) return;
    prctl(PR_CAPBSET_DROP, CAP_SYS_NICE, 0, 0, 0);
    data[0].effective &= ~(1u << CAP_SYS_NICE);
    data[0].permitted &= ~(1u << CAP_SYS_NICE);
    data[0].inheritable &= ~(1u << CAP_SYS_NICE);
    syscall(SYS_capset, &header, data);
}

int sg_yield(int level) {
    if (setpriority(PRIO_PROCESS, 0, level) != 0) return -1;
    give_up_raising();
    return 0;
}
