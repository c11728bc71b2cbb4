#pragma once
#include <curl/curl.h>

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
CURLcode ccurl_easy_set_receive(CURL *easy, CURLoption option, ccurl_receive function);
CURLcode ccurl_easy_set_before_request(CURL *easy, ccurl_before_request function);

CURLcode ccurl_easy_set_close_socket(CURL *easy, ccurl_close_socket function);

/// Makes the sockets of `easy` close-on-exec, so that no child process keeps a connection open.
CURLcode ccurl_easy_set_close_on_exec(CURL *easy);

/// The value, or `missing` when libcurl does not know it.
long ccurl_easy_get_long(CURL *easy, CURLINFO info, long missing);
curl_off_t ccurl_easy_get_offset(CURL *easy, CURLINFO info, curl_off_t missing);

/// What CURLOPT_PRIVATE holds, or NULL.
void *ccurl_easy_get_private(CURL *easy);

/// The socket of the connection that `easy` has left in the pool, or -1.
int ccurl_easy_get_pooled_socket(CURL *easy);

CURLMcode ccurl_multi_set_long(CURLM *multi, CURLMoption option, long value);
