// lwmsg-archive: shows what is in an archive, without any program's schema.
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>

#include "lwmsg/archive.h"

namespace {

constexpr const char* kUsage =
    "usage: lwmsg-archive print [--indented] FILE   every record as text\n"
    "       lwmsg-archive schema FILE               the interfaces that its records follow\n"
    "       lwmsg-archive check FILE                whether every byte of it is sound\n"
    "Archives are files of messages that lwmsg programs write; FILE may be /dev/stdin.\n"
    "Ends with 0, with 1 if the file cannot be read or is damaged, and with 2 for a wrong call.\n";

std::string TimeText(std::chrono::system_clock::time_point time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - day));
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return text;
}

int Fail(const lwmsg::Status& status) {
  std::fprintf(stderr, "lwmsg-archive: %s\n", status.ToString().c_str());
  return 1;
}

void PrintRecord(const lwmsg::ArchiveRecord& record, const lwmsg::PrintOptions& options) {
  std::string text = TimeText(record.time()) + " " + record.ToString(options);
  if (record.dropped_handles() != 0) {
    text += " without " + std::to_string(record.dropped_handles()) + " OS handles";
  }
  std::puts(text.c_str());
}

int ReadRecords(lwmsg::ArchiveReader& reader, bool print, const lwmsg::PrintOptions& options) {
  auto record = reader.Next();
  for (; record && *record; record = reader.Next()) {
    if (print) PrintRecord(**record, options);
  }
  if (!record) {
    std::fflush(stdout);
    return Fail(record.error());
  }
  if (!print) {
    std::printf(
        "%llu records in %llu bytes, %s\n", static_cast<unsigned long long>(reader.records()),
        static_cast<unsigned long long>(reader.offset()),
        reader.finished() ? "finished" : "not finished: the last were appended and not more");
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string command = argc >= 2 ? argv[1] : "";
  if (command == "--help" || command == "-h") return std::fputs(kUsage, stdout), 0;
  const bool indented = argc == 4 && command == "print" && std::strcmp(argv[2], "--indented") == 0;
  if ((argc != 3 && !indented) ||
      (command != "print" && command != "schema" && command != "check")) {
    return std::fputs(kUsage, stderr), 2;
  }
  auto reader = lwmsg::ArchiveReader::Open(argv[argc - 1]);
  if (!reader) return Fail(reader.error());
  if (command == "schema") return std::fputs(reader->SchemaText().c_str(), stdout), 0;
  return ReadRecords(*reader, command == "print", {.indented = indented});
}
