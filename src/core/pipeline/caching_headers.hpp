// Cache-Control and what belongs to it.
#pragma once

#include "millrace/core/pipeline.hpp"

namespace millrace::pipeline {

void add_read_headers(const Work& work, message::Reply& reply);
void add_write_headers(const Work& work, message::Reply& reply);

}  // namespace millrace::pipeline
