// Tells what becomes of one service, under its name.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "millrace/core/events.hpp"

namespace millrace::services {

class Report {
public:
    Report(events::Observer& observer, std::string version, std::string route)
        : observer_(observer), version_(std::move(version)), route_(std::move(route)) {}

    void asked(events::ServiceResult result, bool again, Duration took) const {
        observer_.on(events::ServiceAsked{version_, route_, result, again, took});
    }
    void changed(int events::ServiceChanged::*number, int by) const {
        events::ServiceChanged change{version_, route_};
        change.*number = by;
        observer_.on(change);
    }
    void unreachable(std::string_view address, std::string_view reason) const {
        observer_.on(events::ServiceUnreachable{version_, route_, address, reason});
    }

private:
    events::Observer& observer_;
    const std::string version_, route_;
};

// A connection that is counted as open for as long as this is there.
class Standing {
public:
    explicit Standing(std::shared_ptr<const Report> report) : report_(std::move(report)) {
        report_->changed(&events::ServiceChanged::open, 1);
    }
    Standing(const Standing&) = delete;
    Standing& operator=(const Standing&) = delete;
    ~Standing() { report_->changed(&events::ServiceChanged::open, -1); }

private:
    std::shared_ptr<const Report> report_;
};

}  // namespace millrace::services
