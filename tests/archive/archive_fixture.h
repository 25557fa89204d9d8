#pragma once

#include <capnp/message.h>
#include <gmock/gmock.h>

#include <functional>
#include <string>
#include <vector>

#include "lwmsg/archive.h"
#include "notes.capnp.h"
#include "notes.lwmsg.h"
#include "tests/support/inventory.h"
#include "tests/support/schema_text_parser.h"

namespace lwmsg::test {

using AddParams = notes::Notes::AddParams;

// A folder for archives of the protocol Notes.
class ArchiveFixture : public InventoriedTest {
 protected:
  static std::vector<const Protocol*> Known() { return {&notes::kNotesProtocol}; }

  std::string Path(const std::string& name = "a") const { return folder_.Path(name); }
  // The names of the files in the folder.
  std::vector<std::string> Files() const;
  static std::string Content(const std::string& path);
  static void SetContent(const std::string& path, const std::string& content);

  // One record: a call of add.
  static Status AddNote(ArchiveWriter& writer, const std::string& title);
  // A finished archive of such records.
  void WriteNotes(const std::vector<std::string>& titles, const std::string& name = "a");
  // Titles of all notes in calls of add, as the program has them; the last is the error, if there
  // is one.
  std::vector<std::string> Titles(const std::string& name = "a",
                                  const ArchiveReaderOptions& options = {});

  // An archive by a program of another version, with `types` and the methods of Notes as schema
  // text. Its one record is a call of `method` with params that `fill` fills.
  void WriteOtherVersion(const std::string& types, const std::string& methods, uint16_t method,
                         const std::function<void(capnp::DynamicStruct::Builder)>& fill);

 private:
  TemporaryFolder folder_;
};

// The numbers of its tests are those of LWMsg's own tests of archives.
class ArchiveTest : public ArchiveFixture {};

}  // namespace lwmsg::test
