@0x9fe24b70d1c8a536;
interface Base {
  get @0 ();
}
