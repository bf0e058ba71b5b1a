/* A program that is not linked with the library but loads it, uses it and unloads it, twice: loading starts nothing, and
 * the image stays, for its threads may still run in it. */
#include "process.h"

#include <dlfcn.h>
#include <pthread.h>
#include <socketio.h>

#define check(condition) \
  do { \
    if (!(condition)) { \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
      exit(1); \
    } \
  } while (0)

/* The functions in use, as they are found. */
static struct {
  sio_status (*abi_check)(uint32_t abi);
  sio_status (*server_new)(sio_runtime *runtime, const sio_server_options *options, sio_server **out);
  sio_status (*server_listen)(sio_server *server, sio_str address, sio_done_fn function, void *user_data,
                              sio_destroy_fn destroy);
  sio_status (*server_close_wait)(sio_server *server, uint32_t timeout_ms);
  void (*server_release)(sio_server *server);
} sio;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int listening;
static sio_server *left_open;

static void on_done(int32_t status, const sio_error *error, void *user_data)
{
  (void)error;
  (void)user_data;
  pthread_mutex_lock(&lock);
  listening += status == SIO_OK;
  pthread_cond_signal(&changed);
  pthread_mutex_unlock(&lock);
}

static void *load(void)
{
  void *library = dlopen("libsocketio.so.0", RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    fprintf(stderr, "%s\n", dlerror());
    exit(1);
  }
  *(void **)&sio.abi_check = dlsym(library, "sio_abi_check");
  *(void **)&sio.server_new = dlsym(library, "sio_server_new");
  *(void **)&sio.server_listen = dlsym(library, "sio_server_listen");
  *(void **)&sio.server_close_wait = dlsym(library, "sio_server_close_wait");
  *(void **)&sio.server_release = dlsym(library, "sio_server_release");
  check(sio.abi_check && sio.server_new && sio.server_listen && sio.server_close_wait && sio.server_release);
  check(sio.abi_check(SIO_ABI_VERSION) == SIO_OK);
  return library;
}

static sio_server *serve(int times)
{
  sio_server *server = NULL;
  check(sio.server_new(NULL, NULL, &server) == SIO_OK);
  check(sio.server_listen(server, SIO_STR("127.0.0.1:0"), on_done, NULL, NULL) == SIO_OK);
  pthread_mutex_lock(&lock);
  while (listening < times) {
    pthread_cond_wait(&changed, &lock);
  }
  pthread_mutex_unlock(&lock);
  return server;
}

int main(void)
{
  sio_server *server;
  void *library;
  check(!is_mapped("libsocketio.so"));
  library = load();
  check(is_mapped("libsocketio.so"));
  check(threads_named("sio-") == 0 && open_sockets_and_polls() == 0);
  server = serve(1);
  check(threads_named("sio-") > 0);
  check(sio.server_close_wait(server, 60000) == SIO_OK);
  sio.server_release(server);
  check(dlclose(library) == 0);
  check(is_mapped("libsocketio.so"));

  /* Loaded again it is the same one, its threads with it; this time something still runs when it is unloaded. */
  library = load();
  left_open = serve(2);
  check(dlclose(library) == 0);
  check(is_mapped("libsocketio.so"));
  check(sio.server_listen(left_open, SIO_STR("127.0.0.1:0"), on_done, NULL, NULL) == SIO_OK);
  return 0;
}
