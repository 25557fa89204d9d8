# expect: 5: Tree.put: params reach a generic type that contains itself
@0xbe17f5a90c64d832;
struct Grow(T) {
  value @0 :T;
  next @1 :Grow(Box(T));
}
struct Box(T) { value @0 :T; }
interface Tree {
  put @0 Grow(Text) -> ();
}
