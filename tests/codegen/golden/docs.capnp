# Doc comments of all shapes.
@0x90c7d5ab3e2f1648;

using Lwmsg = import "/lwmsg/lwmsg.capnp";

interface Docs {
  # First line.
  #   Indented, with "quotes", */ and /* and // inside.
  #
  # After a blank one; a path like C:\new\ and a line that ends in \
  # which must not swallow this one.

  first @0 (a :Int32) -> (b :Int32);
  # A trailing one.

  # Not a doc comment: it stands apart.
  second @1 ();

  third @2 Named;
  # Umlauts: äöü.

  struct Named {
    file @0 :Lwmsg.OsHandle;
    # What a field's comment says goes to takeX.
  }
}
