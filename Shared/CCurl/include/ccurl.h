#pragma once
#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

// Swift cannot call variadic C functions. There is one function here for each kind of argument that
// curl_easy_setopt, curl_easy_getinfo and curl_multi_setopt take; each wants an option of that kind.

/// Receives header lines or body bytes; returns how many it took, anything but `size * count` ends the transfer.
typedef size_t (*ccurl_receive)(char *bytes, size_t size, size_t count, void *context);

/// Called when a connection is ready, before the request goes out on it.
typedef int (*ccurl_before_request)(void *context, char *peer, char *local, int peer_port, int local_port);

/// Called instead of close(2), which is for it to call.
typedef int (*ccurl_close_socket)(void *context, int socket);

CURLcode ccurl_easy_set_long(CURL *easy, CURLoption option, long value);
CURLcode ccurl_easy_set_offset(CURL *easy, CURLoption option, curl_off_t value);
CURLcode ccurl_easy_set_string(CURL *easy, CURLoption option, const char *value);
CURLcode ccurl_easy_set_pointer(CURL *easy, CURLoption option, const void *value);

/// Copies the bytes.
CURLcode ccurl_easy_set_blob(CURL *easy, CURLoption option, const void *bytes, size_t count);
CURLcode ccurl_easy_set_receive(CURL *easy, CURLoption option, ccurl_receive function);
CURLcode ccurl_easy_set_before_request(CURL *easy, ccurl_before_request function);

CURLcode ccurl_easy_set_close_socket(CURL *easy, ccurl_close_socket function);

/// Makes the sockets of `easy` close-on-exec, so that no child process keeps a connection open.
CURLcode ccurl_easy_set_close_on_exec(CURL *easy);

/// For how long what was read of a file of authorities is taken for what stands there. Before 7.87 it is read for every
/// connection, and there is nothing to set.
CURLcode ccurl_easy_set_ca_cache_timeout(CURL *easy, long seconds);

/// The value, or `missing` when libcurl does not know it.
long ccurl_easy_get_long(CURL *easy, CURLINFO info, long missing);
curl_off_t ccurl_easy_get_offset(CURL *easy, CURLINFO info, curl_off_t missing);

/// What CURLOPT_PRIVATE holds, or NULL.
void *ccurl_easy_get_private(CURL *easy);

/// The socket of the connection that `easy` has left in the pool, or -1.
int ccurl_easy_get_pooled_socket(CURL *easy);

CURLMcode ccurl_multi_set_long(CURLM *multi, CURLMoption option, long value);

/// Called when libcurl wants to hear of a socket: `what` is one of CURL_POLL_*.
typedef int (*ccurl_socket_change)(CURL *easy, curl_socket_t socket, int what, void *context, void *of_socket);

/// Called when libcurl wants to be called in `timeout_ms`; -1 for not any more.
typedef int (*ccurl_timer_change)(CURLM *multi, long timeout_ms, void *context);

/// Has `multi` tell what it waits for, instead of waiting by itself.
CURLMcode ccurl_multi_set_callbacks(
    CURLM *multi, ccurl_socket_change socket, ccurl_timer_change timer, void *context);

// Waiting for sockets until an exact time, which curl_multi_poll does to the millisecond only, and without looking at
// each of thousands of sockets every time: epoll, with a timerfd for the time and an eventfd to be woken by.

typedef struct {
    int epoll;
    int timer;
    int wake;
    /// What the timer is set to; 0 when it is not set.
    uint64_t armed_ns;
} ccurl_poller;

typedef struct {
    int socket;
    /// CURL_CSELECT_*
    int ready;
} ccurl_ready;

/// False when the process has no descriptors left.
bool ccurl_poller_open(ccurl_poller *poller);
void ccurl_poller_close(ccurl_poller *poller);

/// Watches `socket` for `interest`, CURL_POLL_IN, _OUT or _INOUT, instead of `before`; CURL_POLL_NONE for not at all.
void ccurl_poller_watch(ccurl_poller *poller, int socket, int before, int interest);

/// Waits until a socket is ready, somebody wakes the poller, or CLOCK_MONOTONIC is at `until_ns`; 0 does not wait.
/// Returns how many of `ready` it has filled.
int ccurl_poller_wait(ccurl_poller *poller, uint64_t until_ns, ccurl_ready *ready, int room);

/// CLOCK_MONOTONIC, which `until_ns` is read on.
uint64_t ccurl_monotonic_ns(void);

/// What a clock of clock_gettime(2) shows. False when there is no such clock.
bool ccurl_clock_ns(int clock, uint64_t *ns);

/// From any thread.
void ccurl_poller_wake(int wake);
