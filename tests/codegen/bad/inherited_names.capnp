# expect: 9: method Right.open and method Left.open would both make the C\+\+ name Open in BothService
# expect: 10: method Left.open and method Child.open would both make the C\+\+ name Open in ChildService
@0x87b3d9e60fa2c514;
interface Left {
  open @0 ();
}
interface Right { open @0 (); }

interface Both extends(Left, Right) {}
interface Child extends(Left) { open @0 (); }
