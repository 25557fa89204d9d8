#include "lwmsg/service.h"

#include <algorithm>
#include <string>

namespace lwmsg {

namespace {

bool TakesHandles(const MethodInfo& method) {
  return method.params().carries_handles() || method.params().carries_objects() ||
         method.results().carries_objects();
}

}  // namespace

Status ServiceTable::Add(Service& service) {
  const Protocol& protocol = service.protocol();
  std::vector<Entry> added = {{&protocol, &service}};
  for (const Protocol* base : protocol.bases) added.push_back({base, &service});
  for (const Entry& entry : added) {
    if (Find(entry.protocol->id) != nullptr) {
      return Status(StatusCode::kAlreadyExists,
                    std::string("interface ") + entry.protocol->name +
                        " is served already; a call to it would have two services to go to");
    }
  }
  entries_.insert(entries_.end(), added.begin(), added.end());
  for (const Entry& entry : added) {
    takes_handles_ |= std::ranges::any_of(entry.protocol->methods, TakesHandles);
  }
  return Status();
}

const ServiceTable::Entry* ServiceTable::Find(uint64_t interface_id) const {
  for (const Entry& entry : entries_) {
    if (entry.protocol->id == interface_id) return &entry;
  }
  return nullptr;
}

const Protocol* FindProtocol(const Service& service, uint64_t interface_id) {
  const Protocol& protocol = service.protocol();
  if (protocol.id == interface_id) return &protocol;
  for (const Protocol* base : protocol.bases) {
    if (base->id == interface_id) return base;
  }
  return nullptr;
}

}  // namespace lwmsg
