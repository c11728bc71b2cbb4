#include "ccurl.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { ROOM = 256 };

static bool watch_own(int epoll, int descriptor) {
    struct epoll_event event = {.events = EPOLLIN, .data = {.fd = descriptor}};
    return descriptor >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0;
}

uint64_t ccurl_monotonic_ns(void) {
    struct timespec time;
    // Cannot fail: the clock exists on every Linux and the pointer is good.
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

bool ccurl_clock_ns(int clock, uint64_t *ns) {
    struct timespec time;
    if (clock_gettime((clockid_t)clock, &time) != 0) return false;
    *ns = (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
    return true;
}

bool ccurl_poller_open(ccurl_poller *poller) {
    poller->epoll = epoll_create1(EPOLL_CLOEXEC);
    poller->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    poller->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    poller->armed_ns = 0;
    if (watch_own(poller->epoll, poller->timer) && watch_own(poller->epoll, poller->wake)) return true;
    ccurl_poller_close(poller);
    return false;
}

void ccurl_poller_close(ccurl_poller *poller) {
    if (poller->epoll >= 0) close(poller->epoll);
    if (poller->timer >= 0) close(poller->timer);
    if (poller->wake >= 0) close(poller->wake);
}

void ccurl_poller_watch(ccurl_poller *poller, int socket, int before, int interest) {
    struct epoll_event event = {.events = 0, .data = {.fd = socket}};
    if (interest & CURL_POLL_IN) event.events |= EPOLLIN;
    if (interest & CURL_POLL_OUT) event.events |= EPOLLOUT;
    int change = interest == CURL_POLL_NONE ? EPOLL_CTL_DEL
        : before == CURL_POLL_NONE          ? EPOLL_CTL_ADD
                                            : EPOLL_CTL_MOD;
    epoll_ctl(poller->epoll, change, socket, &event);
}

static int readiness(uint32_t events) {
    int ready = 0;
    if (events & (EPOLLIN | EPOLLHUP)) ready |= CURL_CSELECT_IN;
    if (events & EPOLLOUT) ready |= CURL_CSELECT_OUT;
    if (events & EPOLLERR) ready |= CURL_CSELECT_ERR;
    return ready;
}

int ccurl_poller_wait(ccurl_poller *poller, uint64_t until_ns, ccurl_ready *ready, int room) {
    struct epoll_event events[ROOM];
    if (until_ns != 0 && until_ns != poller->armed_ns) {
        // An absolute time: what happens between here and the wait cannot make it late. Setting it also forgets that
        // it has expired.
        struct itimerspec time = {
            .it_value = {.tv_sec = (time_t)(until_ns / 1000000000), .tv_nsec = (long)(until_ns % 1000000000)}};
        timerfd_settime(poller->timer, TFD_TIMER_ABSTIME, &time, NULL);
        poller->armed_ns = until_ns;
    }
    int count = epoll_wait(poller->epoll, events, room < ROOM ? room : ROOM, until_ns == 0 ? 0 : -1);
    int filled = 0;
    for (int index = 0; index < count; index++) {
        int descriptor = events[index].data.fd;
        uint64_t number;
        if (descriptor == poller->timer || descriptor == poller->wake) {
            if (descriptor == poller->timer) poller->armed_ns = 0;
            // Its count, which means nothing here; reading it ends the readiness.
            if (read(descriptor, &number, sizeof number) < 0) continue;
        } else {
            ready[filled++] = (ccurl_ready){.socket = descriptor, .ready = readiness(events[index].events)};
        }
    }
    return filled;
}

void ccurl_poller_wake(int wake) {
    uint64_t one = 1;
    // It can only fail when it has been woken already.
    if (write(wake, &one, sizeof one) < 0) return;
}
