// A body that is made while it is sent, by a request that was admitted.
#pragma once

#include <optional>

#include "millrace/app/admission.hpp"
#include "millrace/io/http.hpp"

namespace millrace::app {

class CountedBody : public http::BodySource {
public:
    // The request counts as in flight until its body has ended.
    void keep(Admission::Ticket ticket) { ticket_.emplace(std::move(ticket)); }

private:
    std::optional<Admission::Ticket> ticket_;
};

}  // namespace millrace::app
