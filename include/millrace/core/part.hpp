// Which part of the routes a process serves, so that groups of routes can scale apart: "products", "rpc/total", "v2/products".
#pragma once

#include <span>
#include <string>
#include <vector>

#include "millrace/core/config.hpp"
#include "millrace/core/routes.hpp"

namespace millrace::part {

// The version's table with the named routes alone: what it does not show is not reached by embeds either.
[[nodiscard]] routes::RouteTable table_of(const routes::ApiCatalog& whole, std::span<const std::string> only);

// Names that no version has, each with what was perhaps meant.
[[nodiscard]] std::vector<config::Problem> unknown_names(const routes::Versions& whole, std::span<const std::string> only);

}  // namespace millrace::part
