namespace cpp bench.thrift_api

service Bench {
  binary echo(1: binary data),
  i64 take(1: binary data)
}
