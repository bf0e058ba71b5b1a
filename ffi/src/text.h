/* The text of a literal: SIO_STR("x"). */
#ifdef __cplusplus
#define SIO_STR(literal) (sio_str{"" literal, sizeof(literal) - 1})
#else
#define SIO_STR(literal) ((sio_str){"" literal, sizeof(literal) - 1})
#endif

/* The text of a C string, which must outlive it; no text for NULL. */
static inline sio_str sio_cstr(const char *string)
{
  sio_str text;
  text.ptr = string;
  text.len = string ? strlen(string) : 0;
  return text;
}
