/* Trees of values: built, parsed, printed, read. */
#include "check.h"

static void a_tree_prints_and_parses(void)
{
  sio_value *tree = sio_value_new_object();
  sio_value *list = sio_value_new_array();
  sio_value *copy = NULL;
  sio_string *json = NULL;
  check_ok(sio_value_push(list, sio_value_new_int(1)));
  check_ok(sio_value_push(list, sio_value_new_double(1.5)));
  check_ok(sio_value_push(list, sio_value_new_bool(false)));
  check_ok(sio_value_push(list, sio_value_new_null()));
  check_ok(sio_value_set(tree, SIO_STR("list"), list));
  check_ok(sio_value_set(tree, SIO_STR("text"), sio_value_new_text(SIO_STR("replaced"))));
  check_ok(sio_value_set(tree, SIO_STR("text"), sio_value_new_text(SIO_STR("x\ty"))));
  check_ok(sio_value_print(tree, &json));
  check(is(sio_string_get(json), "{\"list\":[1,1.5,false,null],\"text\":\"x\\ty\"}"));
  check_ok(sio_value_parse(sio_string_get(json), &copy));
  sio_string_free(json);
  sio_value_free(tree);

  check(sio_value_kind(copy) == SIO_OBJECT);
  check(sio_value_count(copy) == 2);
  check(is(sio_value_key_at(copy, 0), "list"));
  check(sio_value_key_at(copy, 2).len == 0);
  check(sio_value_kind(sio_value_at(copy, 0)) == SIO_ARRAY);
  check(sio_value_as_int(sio_value_at(sio_value_at(copy, 0), 1)) == 1);
  check(sio_value_as_double(sio_value_at(sio_value_at(copy, 0), 0)) == 1.0);
  check(is(sio_value_as_text(sio_value_get(copy, SIO_STR("text"))), "x\ty"));
  check(sio_value_get(copy, SIO_STR("no such key")) == NULL);
  sio_value_free(copy);
}

static void what_is_asked_of_the_wrong_kind_is_nothing(void)
{
  sio_value *number = sio_value_new_int(7);
  check(sio_value_as_text(number).len == 0);
  check(sio_value_as_bytes(number).len == 0);
  check(!sio_value_as_bool(number));
  check(sio_value_count(number) == 0);
  check(sio_value_at(number, 0) == NULL);
  check_status(sio_value_push(number, sio_value_new_null()), SIO_ERR_INVALID_STATE);
  check_status(sio_value_set(number, SIO_STR("a"), sio_value_new_null()), SIO_ERR_INVALID_STATE);
  sio_value_free(number);
}

static void bad_input_is_refused(void)
{
  sio_value *out = NULL;
  sio_string *text = NULL;
  sio_value *bytes = sio_value_new_bytes(bytes_of("x", 1));
  check_status(sio_value_parse(SIO_STR("[1,]"), &out), SIO_ERR_INVALID_JSON);
  check_status(sio_value_parse(sio_cstr("\"\xc3\""), &out), SIO_ERR_INVALID_UTF8);
  check_status(sio_value_parse(SIO_STR("1"), NULL), SIO_ERR_INVALID_ARGUMENT);
  check(out == NULL);
  check(sio_value_new_text(sio_cstr("\xff")) == NULL);
  check_status(sio_value_print(bytes, &text), SIO_ERR_INVALID_STATE);
  check(text == NULL);
  sio_value_free(bytes);
}

static void a_tree_is_no_deeper_than_json_may_be(void)
{
  sio_value *inner = sio_value_new_null();
  sio_value *outer = NULL;
  int depth;
  for (depth = 0; depth < 128; depth++) {
    outer = sio_value_new_array();
    check_ok(sio_value_push(outer, inner));
    inner = outer;
  }
  outer = sio_value_new_array();
  check_status(sio_value_push(outer, inner), SIO_ERR_TOO_LARGE);
  sio_value_free(outer);
}

int main(void)
{
  a_tree_prints_and_parses();
  what_is_asked_of_the_wrong_kind_is_nothing();
  bad_input_is_refused();
  a_tree_is_no_deeper_than_json_may_be();
  return 0;
}
