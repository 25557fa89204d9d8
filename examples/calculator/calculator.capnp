@0xae35512d3c7f93ab;
interface Calculator {
  tape @0 () -> (tape :import "/lwmsg/lwmsg.capnp".OsHandle);  # All sums so far, open for reading.
}
