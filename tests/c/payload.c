/* Payloads: built, taken apart, refused. */
#include "check.h"

static void arguments_come_back(void)
{
  sio_payload *payload = sio_payload_new();
  sio_value *tree = sio_value_new_object();
  check_ok(sio_value_set(tree, SIO_STR("picture"), sio_value_new_bytes(bytes_of("\x89PNG", 4))));
  check_ok(sio_payload_push_text(payload, SIO_STR("a \"b\"\n")));
  check_ok(sio_payload_push_int(payload, INT64_MIN));
  check_ok(sio_payload_push_double(payload, 0.5));
  check_ok(sio_payload_push_bool(payload, true));
  check_ok(sio_payload_push_null(payload));
  check_ok(sio_payload_push_json(payload, SIO_STR("{\"x\": [1, 2]}")));
  check_ok(sio_payload_push_bytes(payload, bytes_of("\0\1\2", 3)));
  check_ok(sio_payload_push_value(payload, tree));

  check(sio_payload_count(payload) == 8);
  check(is(sio_payload_json(payload),
           "[\"a \\\"b\\\"\\n\",-9223372036854775808,0.5,true,null,{\"x\": [1, 2]},"
           "{\"_placeholder\":true,\"num\":0},{\"picture\":{\"_placeholder\":true,\"num\":1}}]"));
  check(is(sio_payload_arg_json(payload, 3), "true"));
  check(is(sio_value_as_text(sio_payload_get_value(payload, 0)), "a \"b\"\n"));
  check(sio_value_as_int(sio_value_at(sio_value_get(sio_payload_get_value(payload, 5), SIO_STR("x")), 1)) == 2);
  check(are(sio_value_as_bytes(sio_payload_get_value(payload, 6)), "\0\1\2", 3));
  check(are(sio_value_as_bytes(sio_value_get(sio_payload_get_value(payload, 7), SIO_STR("picture"))), "\x89PNG", 4));
  check(sio_payload_attachment_count(payload) == 2);
  check(are(sio_payload_attachment(payload, 1), "\x89PNG", 4));

  check(sio_payload_arg_json(payload, 8).len == 0);
  check(sio_payload_get_value(payload, 8) == NULL);
  check(sio_payload_attachment(payload, 2).len == 0);
  sio_payload_release(payload);
}

static void json_and_attachments_make_a_payload(void)
{
  sio_bytes attachments[2];
  sio_payload *payload = NULL;
  attachments[0] = bytes_of("zero", 4);
  attachments[1] = bytes_of(NULL, 0);
  check_ok(sio_payload_from_json(SIO_STR("[1,{\"_placeholder\":true,\"num\":1}]"), attachments, 2, &payload));
  check(sio_payload_count(payload) == 2);
  check(sio_payload_attachment_count(payload) == 2);
  check(sio_payload_attachment(payload, 1).len == 0);
  sio_payload_release(payload);

  check_ok(sio_payload_from_json(SIO_STR("[]"), NULL, 0, &payload));
  check(sio_payload_count(payload) == 0);
  sio_payload_release(payload);
}

static void bad_input_is_refused(void)
{
  sio_payload *untouched = NULL;
  sio_payload *payload = sio_payload_new();
  sio_str not_utf8 = sio_cstr("\"\xff\"");
  sio_str null_text = {NULL, 3};
  sio_bytes one = bytes_of("x", 1);

  check_status(sio_payload_from_json(SIO_STR("{}"), NULL, 0, &untouched), SIO_ERR_INVALID_JSON);
  check_status(sio_payload_from_json(SIO_STR("[1"), NULL, 0, &untouched), SIO_ERR_INVALID_JSON);
  check_status(sio_payload_from_json(not_utf8, NULL, 0, &untouched), SIO_ERR_INVALID_UTF8);
  check_status(sio_payload_from_json(null_text, NULL, 0, &untouched), SIO_ERR_INVALID_ARGUMENT);
  check_status(sio_payload_from_json(SIO_STR("[]"), NULL, 1, &untouched), SIO_ERR_INVALID_ARGUMENT);
  check_status(sio_payload_from_json(SIO_STR("[]"), NULL, 0, NULL), SIO_ERR_INVALID_ARGUMENT);
  check_status(sio_payload_from_json(SIO_STR("[{\"_placeholder\":true,\"num\":7}]"), &one, 1, &untouched),
               SIO_ERR_INVALID_JSON);
  check(untouched == NULL);

  check_status(sio_payload_push_json(payload, SIO_STR("1,2")), SIO_ERR_INVALID_JSON);
  check_status(sio_payload_push_text(payload, not_utf8), SIO_ERR_INVALID_UTF8);
  check_status(sio_payload_push_bytes(payload, bytes_of(NULL, 9)), SIO_ERR_INVALID_ARGUMENT);
  check_status(sio_payload_push_value(payload, NULL), SIO_ERR_INVALID_ARGUMENT);
  check_status(sio_payload_push_value(NULL, sio_value_new_null()), SIO_ERR_INVALID_ARGUMENT);
  check(sio_payload_count(payload) == 0);
  check(is(sio_payload_json(payload), "[]"));
  sio_payload_release(payload);
}

static void a_retained_payload_outlives_the_first(void)
{
  sio_payload *payload = sio_payload_new();
  sio_payload *kept;
  check_ok(sio_payload_push_bytes(payload, bytes_of("bytes", 5)));
  kept = sio_payload_retain(payload);
  check_ok(sio_payload_push_int(payload, 1));
  sio_payload_release(payload);
  check(sio_payload_count(kept) == 1);
  check(are(sio_payload_attachment(kept, 0), "bytes", 5));
  sio_payload_release(kept);
}

int main(void)
{
  arguments_come_back();
  json_and_attachments_make_a_payload();
  bad_input_is_refused();
  a_retained_payload_outlives_the_first();
  return 0;
}
