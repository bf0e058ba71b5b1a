/* A server and clients in one process, over the loopback interface. */
#ifndef LOOPBACK_H
#define LOOPBACK_H

#include "wait.h"

static inline sio_server *start_server(const sio_server_options *options)
{
  sio_server *server = NULL;
  check_ok(sio_server_new(NULL, options, &server));
  check_ok(sio_server_listen(server, SIO_STR("127.0.0.1:0"), NULL, NULL, NULL));
  return server;
}

/* The URL of the server's first address, with `path` behind it. */
static inline const char *url_of(sio_server *server, const char *path)
{
  static char url[128];
  sio_string *address = NULL;
  check_ok(sio_server_get_address(server, 0, &address));
  snprintf(url, sizeof url, "http://%.*s%s", (int)sio_string_get(address).len, sio_string_get(address).ptr, path);
  sio_string_free(address);
  return url;
}

/* A manager whose clients connect when they are told to. `options` is used up; NULL for the defaults. */
static inline sio_manager *manager_for(sio_server *server, sio_manager_options *options)
{
  sio_manager *manager = NULL;
  if (!options) {
    options = sio_manager_options_new();
  }
  check_ok(sio_manager_options_set_auto_connect(options, false));
  check_ok(sio_manager_new(NULL, sio_cstr(url_of(server, "")), options, &manager));
  sio_manager_options_free(options);
  return manager;
}

static inline void end_manager(sio_manager *manager)
{
  check_ok(sio_manager_close_wait(manager, PATIENCE_S * 1000));
  sio_manager_release(manager);
}

static inline void end_server(sio_server *server)
{
  check_ok(sio_server_close_wait(server, PATIENCE_S * 1000));
  sio_server_release(server);
}

/* A payload of one text. */
static inline sio_payload *text_payload(const char *text)
{
  sio_payload *payload = sio_payload_new();
  check_ok(sio_payload_push_text(payload, sio_cstr(text)));
  return payload;
}

#endif
