#pragma once

#include <cstddef>

#include "tests/reliability/report.h"

// One function for each goal: what is measured, README.md says. `size` is how much of it, in the
// unit that main.cc gives it.
namespace lwmsg::test {

void MeasureLiveConnections(Report& report, size_t size);
void MeasureChurn(Report& report, size_t size);
void MeasureIdleEviction(Report& report, size_t size);

void MeasureSoak(Report& report, size_t size);
void MeasureFairness(Report& report, size_t size);
void MeasureSlowReaders(Report& report, size_t size);
void MeasurePeerDeath(Report& report, size_t size);
void MeasureDeadlines(Report& report, size_t size);

void MeasureDescriptorFlood(Report& report, size_t size);
void MeasureHalfSentFlood(Report& report, size_t size);
void MeasureKeptCallsFlood(Report& report, size_t size);
void MeasureUnreadRepliesFlood(Report& report, size_t size);
void MeasureOneWayFlood(Report& report, size_t size);

void MeasurePidReuse(Report& report, size_t size);
void MeasureStartRaces(Report& report, size_t size);
void MeasureKills(Report& report, size_t size);
void MeasureHandovers(Report& report, size_t size);

}  // namespace lwmsg::test
