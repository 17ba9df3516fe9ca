// Cache-Control and what belongs to it.
#pragma once

#include "millrace/core/pipeline.hpp"

namespace millrace::pipeline {

void add_read_headers(const Work& work, message::Reply& reply);
void add_description_headers(message::Reply& reply);  // what a version shows differs by role, and changes with each reload
void add_write_headers(const Work& work, message::Reply& reply);

}  // namespace millrace::pipeline
