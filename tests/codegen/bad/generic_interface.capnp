# expect: 4: interface Factory is generic
# expect: 8: interface Outer.Inner is generic
@0xd6e8b2f49a7c0135;
interface Factory(T) {
  make @0 () -> (item :T);
}
struct Outer(T) {
  interface Inner {
    get @0 ();
  }
}
interface TextFactory extends(Factory(Text)) {}
