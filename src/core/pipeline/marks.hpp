// Marks stand for the filter values in which requests of one shape differ, while the shape is planned.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "millrace/core/message.hpp"
#include "millrace/core/sql.hpp"

namespace millrace::pipeline {

// No request can bring one: the framing guard refuses its control bytes, and escaped ones are looked for.
[[nodiscard]] std::string mark_of(std::size_t value);
void append_mark(std::string& out, std::size_t value);

// The request's target with marks for its plain filter values, which are appended to `values`.
void append_shape(std::string& out, const message::Request& request, std::vector<std::string>& values);

// What is left of a mark where its number no longer matters.
inline constexpr char mark_edge = '\x01';

// Makes canonical queries of equal requests equal whatever order their filters came in: marks lose their numbers, and the
// numbers are given in the order of the marks. Nothing when a mark is not there exactly once.
[[nodiscard]] std::optional<std::vector<std::size_t>> take_order(std::string& canonical_query, std::size_t values);

// Turns the parameters that are marks into slots. False when a mark is not found whole, as a parameter and nothing else: then
// the shape cannot be shared.
[[nodiscard]] bool place_slots(sql::Script& script, std::size_t values);

}  // namespace millrace::pipeline
