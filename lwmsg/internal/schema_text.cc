#include "lwmsg/internal/schema_text.h"

#include <lwmsg/lwmsg.capnp.h>

#include "lwmsg/internal/reached_schemas.h"

namespace lwmsg::internal {
namespace {

using capnp::schema::Node;
using Which = capnp::schema::Type::Which;

constexpr size_t kMaxNameBytes = 100;
// Arguments of generic types within one another.
constexpr int kMaxTypeDepth = 4;
constexpr unsigned kMaxArguments = 8;
// Then no further argument is named: they could be eight, eight times over at each depth.
constexpr size_t kMaxTypeNameBytes = 200;
constexpr std::string_view kHexDigits = "0123456789abcdef";

void AppendEscaped(std::string& out, char c) {
  switch (c) {
    case '\n':
      out += "\\n";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\r':
      out += "\\r";
      return;
    case '"':
    case '\\':
      out += '\\';
      out += c;
      return;
    default:
      break;
  }
  const auto byte = static_cast<unsigned char>(c);
  if (byte >= 0x20 && byte != 0x7f) {
    out += c;
    return;
  }
  out += "\\x";
  out += kHexDigits[byte >> 4];
  out += kHexDigits[byte & 15];
}

// Valid UTF-8 that is no control character (C1 and the marks that turn the direction of text
// around are such, too), as the number of its bytes; else 0.
size_t PrintableUtf8(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const size_t length = byte(0) >= 0xf0 ? 4 : byte(0) >= 0xe0 ? 3 : byte(0) >= 0xc2 ? 2 : 0;
  if (length == 0 || byte(0) > 0xf4 || length > text.size()) return 0;
  uint32_t code = byte(0) & (0xff >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
    code = code << 6 | (byte(i) & 0x3f);
  }
  const bool too_long = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  const bool no_character = code > 0x10ffff || (code >= 0xd800 && code < 0xe000);
  const bool control = code < 0xa0 || (code >= 0x200e && code <= 0x200f) ||
                       (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
  return too_long || no_character || control ? 0 : length;
}

std::string Escaped(std::string_view text, size_t max) {
  std::string out;
  for (size_t i = 0; i < text.size() && i < max;) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x80) {
      AppendEscaped(out, text[i++]);
    } else if (const size_t length = PrintableUtf8(text.substr(i)); length != 0) {
      out += text.substr(i, length);
      i += length;
    } else {
      out += "\\x";
      out += kHexDigits[byte >> 4];
      out += kHexDigits[byte & 15];
      ++i;
    }
  }
  return out;
}

void AppendTypeName(capnp::Type type, int depth, std::string& out);

void AppendGenericName(capnp::Schema schema, int depth, std::string& out) {
  Node::Reader node = schema.getProto();
  out += ScopedName(node);
  if (node.getParameters().size() == 0) return;
  out += '(';
  for (unsigned i = 0; i < node.getParameters().size(); ++i) {
    if (i != 0) out += ", ";
    if (depth >= kMaxTypeDepth || i == kMaxArguments || out.size() > kMaxTypeNameBytes) {
      out += "...";
      break;
    }
    AppendTypeName(BrandArgument(schema, i), depth + 1, out);
  }
  out += ')';
}

void AppendTypeName(capnp::Type type, int depth, std::string& out) {
  static constexpr std::string_view kPrimitives[] = {
      "Void",   "Bool",   "Int8",   "Int16",   "Int32",   "Int64", "UInt8",
      "UInt16", "UInt32", "UInt64", "Float32", "Float64", "Text",  "Data"};
  const auto number = static_cast<size_t>(type.which());
  if (number < std::size(kPrimitives)) {
    out += kPrimitives[number];
    return;
  }
  switch (type.which()) {
    case Which::LIST:
      if (depth >= kMaxTypeDepth) {
        out += "List(...)";
        return;
      }
      out += "List(";
      AppendTypeName(type.asList().getElementType(), depth + 1, out);
      out += ')';
      return;
    case Which::STRUCT:
      return AppendGenericName(type.asStruct(), depth, out);
    case Which::ENUM:
      return AppendGenericName(type.asEnum(), depth, out);
    case Which::INTERFACE:
      return AppendGenericName(type.asInterface(), depth, out);
    default:
      out += "AnyPointer";
  }
}

}  // namespace

std::string QuotedText(std::string_view text, size_t max) {
  std::string out = '"' + Escaped(text, max) + '"';
  if (text.size() > max) out += "... (" + std::to_string(text.size() - max) + " more bytes)";
  return out;
}

std::string SafeName(std::string_view name) {
  return Escaped(name, kMaxNameBytes) + (name.size() > kMaxNameBytes ? "..." : "");
}

std::string ScopedName(Node::Reader node) {
  const capnp::Text::Reader display_name = node.getDisplayName();
  std::string_view name(display_name.begin(), display_name.size());
  // What a file's name ends with. Not found: npos + 1 is 0.
  return SafeName(name.substr(name.rfind(':') + 1));
}

std::string TypeName(capnp::Type type) {
  std::string name;
  AppendTypeName(type, 0, name);
  return name;
}

capnp::Type BrandArgument(capnp::Schema schema, unsigned index) {
  Node::Reader node = schema.getProto();
  if (!node.getIsGeneric()) {
    return capnp::Type(capnp::schema::Type::AnyPointer::Unconstrained::ANY_KIND);
  }
  auto arguments = schema.getBrandArgumentsAtScope(node.getId());
  if (index >= arguments.size()) {
    return capnp::Type(capnp::schema::Type::AnyPointer::Unconstrained::ANY_KIND);
  }
  return arguments[index];
}

}  // namespace lwmsg::internal
