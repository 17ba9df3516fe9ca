// Events as JSON lines: which have one, at which level, with which fields.
#pragma once

#include <optional>
#include <string>

#include "log.hpp"
#include "millrace/core/events.hpp"

namespace millrace::telemetry {

// Nothing: the event is counted only.
[[nodiscard]] std::optional<Level> level_of(const events::Event& event);

// Who wrote, and who was turned away: those requests have a line in the audit log, whatever of the others is written.
[[nodiscard]] bool is_audited(const events::RequestFinished& event);
void append_audit_line(std::string& out, const events::RequestFinished& event, WallTime now);

// Safe for any bytes: text is cut to a bound, escaped, and what is not UTF-8 becomes U+FFFD.
void append_line(std::string& out, const events::Event& event, Level level, WallTime now);

}  // namespace millrace::telemetry
